//! `cargo xtask fuzz`: throws mutated tokens at `revolve-verify` for a while. Needs nightly and cargo-fuzz, so it is no part of the tests.

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::{interrupt::Interrupt, process};

/// How long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Seconds to run
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    if !process::succeeds(&mut fuzz(&["--version"])?).await {
        bail!(
            "fuzzing needs a nightly toolchain and cargo-fuzz:\n  rustup toolchain install nightly --profile minimal\n  cargo +nightly install cargo-fuzz --locked"
        );
    }
    let time = format!("-max_total_time={}", args.seconds);
    let command = fuzz(&["run", "token", "--", &time, "-max_len=16384", "-print_final_stats=1"])?;
    process::run(command, interrupt).await.context("the fuzzer stopped; inputs that fail are in crates/verify/fuzz/artifacts")
}

/// `cargo fuzz` on nightly. Cargo has told this process which toolchain it runs on; the other must not believe that.
fn fuzz(words: &[&str]) -> Result<Command> {
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz"]).args(words).current_dir(crate::root()?.join("crates/verify")).kill_on_drop(true);
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    Ok(command)
}
