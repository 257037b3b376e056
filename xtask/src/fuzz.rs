//! `cargo xtask fuzz`: runs the fuzz targets one after the other. It needs nightly and cargo-fuzz, so it is no part of the tests; those replay
//! the corpora of the request bodies.

use std::{fs, path::PathBuf, process::Stdio};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::harness::{folders, interrupt::Interrupt, process};

/// The packages with fuzz targets, each in its folder `fuzz`.
const PACKAGES: [&str; 2] = ["crates/app", "crates/verify"];

/// The largest body that is accepted.
const LONGEST: &str = "-max_len=16384";

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Only these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Seconds to run each; 10, or 60 if targets are named
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
    /// List the targets
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FuzzTarget {
    name: String,
    package: &'static str,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct FuzzStats {
    runs: u64,
    per_second: u64,
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let all = targets()?;
    if args.list {
        for FuzzTarget { name, package } in &all {
            println!("{name:15} {package}/fuzz/fuzz_targets/{name}.rs");
        }
        return Ok(());
    }
    let chosen = choose(&all, &args.targets)?;
    if !process::succeeds(&mut fuzz(PACKAGES[0], &["--version"])?).await {
        bail!(
            "fuzzing needs a nightly toolchain and cargo-fuzz:\n  rustup toolchain install nightly --profile minimal\n  cargo +nightly install cargo-fuzz --locked"
        );
    }
    let seconds = args
        .seconds
        .unwrap_or(if args.targets.is_empty() { 10 } else { 60 });
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for target in &chosen {
        eprintln!("== {} for {seconds} s", target.name);
        let (stats, passed) = one(target, seconds, interrupt).await?;
        let verdict = if passed { "nothing found" } else { "FAILED" };
        lines.push(format!(
            "{:15} {:>10} runs {:>8} per second   {verdict}",
            target.name, stats.runs, stats.per_second
        ));
        if !passed {
            failed.push(format!(
                "{} (see {}/fuzz/artifacts/{})",
                target.name, target.package, target.name
            ));
        }
    }
    println!("{}", lines.join("\n"));
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("the fuzzer stopped in {}", failed.join(", "))
    }
}

/// Runs one target; the fuzzer's output goes to standard error.
async fn one(
    target: &FuzzTarget,
    seconds: u32,
    interrupt: &Interrupt,
) -> Result<(FuzzStats, bool)> {
    let time = format!("-max_total_time={seconds}");
    let mut command = fuzz(
        target.package,
        &[
            "run",
            &target.name,
            "--",
            &time,
            LONGEST,
            "-print_final_stats=1",
        ],
    )?;
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .context("could not run cargo fuzz")?;
    let mut lines =
        BufReader::new(child.stderr.take().context("cargo fuzz has no output")?).lines();
    let mut stats = FuzzStats::default();
    let work = async {
        while let Some(line) = lines.next_line().await? {
            stats.note(&line);
            eprintln!("{line}");
        }
        Ok(child.wait().await?.success())
    };
    let passed = interrupt.guard(work).await?;
    Ok((stats, passed))
}

impl FuzzStats {
    fn note(&mut self, line: &str) {
        let number = |name: &str| {
            line.strip_prefix(name)
                .and_then(|value| value.trim().parse().ok())
        };
        if let Some(runs) = number("stat::number_of_executed_units:") {
            self.runs = runs;
        }
        if let Some(per_second) = number("stat::average_exec_per_sec:") {
            self.per_second = per_second;
        }
    }
}

/// All targets in the manifests.
fn targets() -> Result<Vec<FuzzTarget>> {
    let mut targets = Vec::new();
    for package in PACKAGES {
        let file: PathBuf = folders::root()?.join(package).join("fuzz/Cargo.toml");
        let text = fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let manifest: toml::Table = text
            .parse()
            .with_context(|| format!("{} is wrong", file.display()))?;
        let programs = manifest
            .get("bin")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten();
        let names = programs.filter_map(|program| program.get("name")?.as_str());
        targets.extend(names.map(|name| FuzzTarget {
            name: name.to_owned(),
            package,
        }));
    }
    Ok(targets)
}

/// The targets that were named, or all.
fn choose(all: &[FuzzTarget], names: &[String]) -> Result<Vec<FuzzTarget>> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    let find = |name: &String| all.iter().find(|target| target.name == *name).cloned();
    names
        .iter()
        .map(|name| {
            find(name).with_context(|| format!("there is no target {name}; --list names them"))
        })
        .collect()
}

/// `cargo fuzz` on nightly, without the variables that name the toolchain of this process.
fn fuzz(package: &str, words: &[&str]) -> Result<Command> {
    let mut command = Command::new("cargo");
    command
        .args(["+nightly", "fuzz"])
        .args(words)
        .current_dir(folders::root()?.join(package))
        .kill_on_drop(true);
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"] {
        command.env_remove(name);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_source_and_a_corpus() {
        let targets = targets().unwrap();
        assert!(targets.len() >= 8);
        for FuzzTarget { name, package } in targets {
            let folder = folders::root().unwrap().join(package).join("fuzz");
            assert!(
                folder
                    .join("fuzz_targets")
                    .join(format!("{name}.rs"))
                    .is_file(),
                "{name}"
            );
            assert!(
                fs::read_dir(folder.join("corpus").join(&name))
                    .unwrap()
                    .count()
                    > 0,
                "{name}"
            );
        }
    }

    #[test]
    fn a_target_is_chosen_by_name() {
        let all = targets().unwrap();
        assert_eq!(choose(&all, &[]).unwrap(), all);
        assert_eq!(
            choose(&all, &["token".to_owned()]).unwrap()[0].package,
            "crates/verify"
        );
        assert!(choose(&all, &["nothing".to_owned()]).is_err());
    }

    #[test]
    fn the_fuzzers_figures_are_read() {
        let mut stats = FuzzStats::default();
        for line in [
            "stat::number_of_executed_units: 12345",
            "stat::average_exec_per_sec:     678",
            "#2 INITED",
        ] {
            stats.note(line);
        }
        assert_eq!(
            stats,
            FuzzStats {
                runs: 12345,
                per_second: 678
            }
        );
    }
}
