//! `cargo xtask`: the project's development tasks, one module per command. Nothing here is part of the service, and nothing of the
//! service is linked in: tasks drive cargo, the stores and the binary as processes.

mod architecture;
mod attack;
mod audit;
mod bench;
mod ci;
mod documents;
mod faults;
mod fuzz;
mod harness;
mod interop;
mod openapi;
mod rolling;
mod sbom;
mod schemathesis;
mod secrets;
mod sizing;
mod stores;
mod test;
mod torture;
mod tour;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use self::harness::interrupt::{Interrupt, Interrupted};

/// Development tasks of Revolve.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all tests, with Redis and Postgres from the environment, from containers or from local servers
    Test(test::Args),
    /// Run everything a change must pass: format, dependency rules, lints, documentation, tests
    Ci(test::Args),
    /// Attack a service of our own with floods, slow clients and a stopwatch, and fail if it does not hold
    Attack {
        #[command(subcommand)]
        attack: attack::Attack,
    },
    /// Measure the service, raw floors and the replaced scheme side by side, judge the goals and write docs/performance.md (Linux)
    Bench(bench::Args),
    /// Check which crate may depend on which, imports inside crates, and rules over the source text
    Architecture,
    /// Look for known vulnerabilities in what we depend on (cargo-deny, the RustSec database)
    Audit(audit::Args),
    /// Make bills of materials below target/ (cargo-cyclonedx)
    Sbom,
    /// Fuzz what reads request bodies, tokens and the configuration (nightly, cargo-fuzz)
    Fuzz(fuzz::Args),
    /// Verify the service's tokens with foreign libraries, and theirs with revolve-verify (Python, node)
    Interop,
    /// Write docs/openapi.json and the tables of docs/api.md again, from the code
    Openapi,
    /// Send requests made up from the OpenAPI document, right ones and wrong ones, and look for answers that it does not describe (Python)
    Schemathesis(schemathesis::Args),
    /// Restart two replicas one after the other under load: no request may fail
    Rolling(rolling::Args),
    /// Start Redis and Postgres for development and keep them until Ctrl-C
    Stores(harness::stores::Args),
    /// Attack the service, or another one by --profile, as bad networks, thieves and failing stores do, and keep score
    Torture(Box<torture::Args>),
    /// Play the whole story against a fresh server and show what happens: sign-up, verification, refresh, theft, sign-out
    Tour,
    /// Break the service, its stores, its disk and its clock, and hold it to everything that it has acknowledged
    Faults(Box<faults::Args>),
    /// Write the manual pages of `revolve` into target/man
    Man,
    /// Write the completions of `revolve` for each shell into target/completions
    Completions,
    /// Measure what sessions and users take in the stores and what a refresh costs, and write it into docs/sizing.md (Linux)
    Sizing(sizing::Args),
    /// Make the passwords and keys that docker-compose.yml needs, in ./secrets; what is there is kept
    Secrets,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<test::TestsFailed>() => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Interrupted>() { 130 } else { 1 })
        }
    }
}

async fn run(command: Command) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    match command {
        Command::Test(args) => test::run(&args, &interrupt).await,
        Command::Ci(args) => ci::run(&args, &interrupt).await,
        Command::Attack { attack } => attack::run(&attack, &interrupt).await,
        Command::Bench(args) => Box::pin(bench::run(&args, &interrupt)).await,
        Command::Architecture => architecture::run().await,
        Command::Audit(args) => audit::run(&args, &interrupt).await,
        Command::Sbom => sbom::run(&interrupt).await,
        Command::Fuzz(args) => fuzz::run(&args, &interrupt).await,
        Command::Interop => interop::run(&interrupt).await,
        Command::Openapi => openapi::run(&interrupt).await,
        Command::Schemathesis(args) => schemathesis::run(&args, &interrupt).await,
        Command::Rolling(args) => rolling::run(&args, &interrupt).await,
        Command::Stores(args) => stores::run(&args, interrupt).await,
        Command::Torture(args) => torture::run(&args, &interrupt).await,
        Command::Tour => tour::run(&interrupt).await,
        Command::Faults(args) => faults::run(&args, &interrupt).await,
        Command::Man => documents::man(&interrupt).await,
        Command::Completions => documents::completions(&interrupt).await,
        Command::Sizing(args) => sizing::run(&args, &interrupt).await,
        Command::Secrets => secrets::run(&harness::folders::root()?),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
