//! `cargo xtask test`: starts the stores, then runs every test of the workspace against them.

use std::{env, thread};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::harness::{
    interrupt::{Interrupt, Interrupted},
    process::{self, cargo},
    stores::{self, Layout, Stores},
};

/// How many tests nextest runs at once, unless its caller says so.
const AT_ONCE: &str = "NEXTEST_TEST_THREADS";
/// For each core: tests wait more than they compute.
const TESTS_PER_CORE: usize = 2;

#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// Skip and name the tests of a store that can't be reached, instead of failing
    #[arg(long)]
    allow_skip: bool,
    /// The long forms of the tests: more histories, more seeds
    #[arg(long)]
    long: bool,
    /// Over a Redis Cluster of three masters instead of one Redis, with the tests that end masters of a cluster, of Sentinels and of Postgres
    /// with a standby; only the packages that use stores
    #[arg(long)]
    cluster: bool,
    /// Through PgBouncer in transaction mode instead of to Postgres; only the packages that use stores
    #[arg(long, conflicts_with = "cluster")]
    pooler: bool,
    #[command(flatten)]
    pub(crate) stores: stores::Args,
    /// Arguments for the test runner (nextest where it is installed); documentation tests are then skipped
    #[arg(last = true)]
    runner: Vec<String>,
}

impl Args {
    fn layout(&self) -> Layout {
        match (self.cluster, self.pooler) {
            (true, _) => Layout::Cluster,
            (_, true) => Layout::Pooler,
            _ => Layout::Single,
        }
    }

    /// The tests of a binary with traces, and that traces have no secrets.
    pub(crate) fn traces(&self) -> Self {
        let runner = [
            "--features",
            "revolve/otel",
            "--test",
            "api",
            "--",
            "traces",
            "canary::nothing",
        ];
        Self {
            runner: runner.map(str::to_owned).into(),
            ..self.clone()
        }
    }
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let stores = Stores::for_tests(&args.stores, args.layout(), args.allow_skip, interrupt).await?;
    let outcome = suites(args, &stores, interrupt).await;
    stores.shut_down().await;
    outcome
}

/// Documentation tests first and the main suite last, so that the runner's summary ends the output.
async fn suites(args: &Args, stores: &Stores, interrupt: &Interrupt) -> Result<()> {
    let docs = if args.layout() != Layout::Single {
        Ok(())
    } else if args.runner.is_empty() {
        process::run(
            prepared(&["test", "--doc", "--workspace"], args, stores)?,
            interrupt,
        )
        .await
    } else {
        eprintln!("documentation tests: left out, since there are arguments for the test runner");
        Ok(())
    };
    if docs.as_ref().is_err_and(anyhow::Error::is::<Interrupted>) {
        return docs;
    }
    stores.report();
    let nextest = process::succeeds(&mut cargo(["nextest", "--version"])?).await;
    let runner: &[&str] = if nextest {
        &["nextest", "run"]
    } else if names_a_test(&args.runner) {
        &["test"]
    } else {
        // Without documentation tests, which ran before.
        &["test", "--lib", "--bins", "--tests", "--examples"]
    };
    let mut command = prepared(runner, args, stores)?;
    if !chooses_packages(&args.runner) {
        command.args(if args.layout() == Layout::Single {
            &["--workspace"][..]
        } else {
            &["-p", "revolve-adapters", "-p", "revolve"]
        });
    }
    if args.cluster && nextest {
        command.args(["--run-ignored", "all"]);
    }
    command.args(&args.runner);
    if args.cluster && !nextest {
        command
            .args(if args.runner.contains(&"--".to_owned()) {
                &[][..]
            } else {
                &["--"]
            })
            .arg("--include-ignored");
    }
    match process::run(command, interrupt).await {
        Err(error) if error.is::<process::Failed>() => Err(TestsFailed.into()),
        Err(error) => Err(error),
        Ok(()) => docs.context("the documentation tests failed, see above"),
    }
}

/// The runner's summary ends the output: nothing more is printed.
#[derive(Debug)]
pub(crate) struct TestsFailed;

impl std::fmt::Display for TestsFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tests failed")
    }
}

impl std::error::Error for TestsFailed {}

fn chooses_packages(runner: &[String]) -> bool {
    of_cargo(runner).any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
}

/// Whether one test target is chosen, so that no others are built.
fn names_a_test(runner: &[String]) -> bool {
    of_cargo(runner).any(|arg| arg == "--test")
}

fn of_cargo(runner: &[String]) -> impl Iterator<Item = &String> {
    runner.iter().take_while(|arg| *arg != "--")
}

/// A cargo command with the environment of the tests.
fn prepared(words: &[&str], args: &Args, stores: &Stores) -> Result<Command> {
    let mut command = cargo(words)?;
    stores.export(&mut command);
    if env::var_os(AT_ONCE).is_none() {
        let cores = thread::available_parallelism()?.get();
        command.env(AT_ONCE, (TESTS_PER_CORE * cores).to_string());
    }
    if args.allow_skip {
        command.env("REVOLVE_TEST_ALLOW_SKIP", "1");
    } else {
        // Only the flag skips tests, not a variable that is left over from a shell.
        command.env_remove("REVOLVE_TEST_ALLOW_SKIP");
    }
    if args.long {
        command
            .env("REVOLVE_TEST_LONG", "1")
            .env("REVOLVE_TEST_HISTORIES", "10000");
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::args::parse;

    #[test]
    fn the_tests_with_traces_are_of_the_whole_workspace_and_build_no_others() {
        let args: Args = parse(&[]).unwrap();
        let traces = args.traces();
        assert!(names_a_test(&traces.runner) && !chooses_packages(&traces.runner));
    }

    #[test]
    fn what_follows_two_dashes_is_for_the_tests() {
        let runner = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).collect()
        };
        assert!(names_a_test(&runner(&["--test", "api"])));
        assert!(!names_a_test(&runner(&["--", "--test"])));
        assert!(chooses_packages(&runner(&["-p", "revolve"])));
        assert!(!chooses_packages(&runner(&["--", "-p"])));
    }
}
