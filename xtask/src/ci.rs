//! `cargo xtask ci`: what a change must pass, cheap steps first, the tests last.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::{
    architecture, client, faults,
    harness::{
        args::parse,
        folders,
        interrupt::{Interrupt, Interrupted},
        process::{self, cargo},
    },
    interop, pages, schemathesis, test, torture, tour,
};

/// Each adapter must build without the others: embedders take only what they need.
const ADAPTER_FEATURES: [&str; 14] = [
    "redis",
    "postgres",
    "sqlite",
    "jose",
    "argon2",
    "legacy",
    "limits",
    "mail_files",
    "passkeys",
    "smtp",
    "system",
    "totp",
    "webhooks",
    "zxcvbn",
];

/// Relying services take only what their framework needs; without a feature it is the verifier alone.
const VERIFY_FEATURES: [&str; 4] = ["", "http", "actix", "tower"];

pub(crate) async fn run(args: &test::Args, interrupt: &Interrupt) -> Result<()> {
    let mut report = StepTimes::default();
    report
        .step(
            "format",
            process::run(cargo(["fmt", "--all", "--check"])?, interrupt),
        )
        .await
        .context("run `cargo fmt --all`")?;
    report.step("architecture", architecture::run()).await?;
    if process::succeeds(&mut cargo(["deny", "--version"])?).await {
        let deny = cargo(["deny", "check", "bans", "licenses", "sources"])?;
        report
            .step("cargo deny", process::run(deny, interrupt))
            .await?;
    } else {
        eprintln!("== cargo deny: not installed, skipped (`cargo install cargo-deny`)");
    }
    report.step("alerts", alerts(interrupt)).await?;
    let clippy = cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])?;
    report
        .step("clippy", process::run(clippy, interrupt))
        .await?;
    report
        .step("features one by one", features(interrupt))
        .await?;
    report
        .step("documentation", process::run(documentation()?, interrupt))
        .await?;
    match interop::Tools::prepare(interrupt).await {
        Ok(tools) => {
            report
                .step("interop", Box::pin(interop::with(&tools, interrupt)))
                .await?;
        }
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) => eprintln!("== interop: skipped, {error:#}"),
    }
    match client::Package::prepare(interrupt).await {
        Ok(package) => {
            let tested = Box::pin(package.test(interrupt));
            report.step("client", tested).await?;
        }
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) => eprintln!("== client: skipped, {error:#}"),
    }
    match pages::Tools::prepare(interrupt).await {
        Ok(tools) => {
            // Their stories take too long for every change.
            let looked = async { tools.look(interrupt).await.map(drop) };
            report.step("pages", Box::pin(looked)).await?;
        }
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) => eprintln!("== pages: skipped, {error:#}"),
    }
    let torture = torture::Args {
        stores: args.stores.clone(),
        ..parse(&["--rounds", "60"])?
    };
    report
        .step("torture", Box::pin(torture::run(&torture, interrupt)))
        .await?;
    let oauth2 = torture::Args {
        stores: args.stores.clone(),
        ..parse(&["--rounds", "30", "--oauth2"])?
    };
    report
        .step(
            "torture, OAuth 2",
            Box::pin(torture::run(&oauth2, interrupt)),
        )
        .await?;
    report.step("tour", tour::run(interrupt)).await?;
    report
        .step("faults", Box::pin(faults::run(&parse(&[])?, interrupt)))
        .await?;
    report
        .step("traces", Box::pin(test::run(&args.traces(), interrupt)))
        .await?;
    match schemathesis::prepare(interrupt).await {
        Ok(tool) => {
            for (name, short) in schemathesis::Args::short()? {
                let step = Box::pin(schemathesis::run_with(&tool, &short, interrupt));
                report.step(name, step).await?;
            }
        }
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) => eprintln!("== schemathesis: skipped, {error:#}"),
    }
    // Before the test runner's summary, which ends the output.
    report.print();
    eprintln!("== tests");
    test::run(args, interrupt).await
}

async fn features(interrupt: &Interrupt) -> Result<()> {
    let alone = ["check", "--quiet", "-p", "revolve-domain"];
    process::run(cargo(alone)?, interrupt).await?;
    // Of the whole workspace, as it was linted before: only what a feature changes is built again.
    for (feature, targets) in [
        ("revolve/otel", &["--all-targets"][..]),
        (
            "revolve/fuzzing",
            &["--bin", "revolve", "--test", "testkit"],
        ),
    ] {
        let mut lint = cargo(["clippy", "--quiet", "--workspace", "--features", feature])?;
        lint.args(targets).args(["--", "-D", "warnings"]);
        process::run(lint, interrupt).await?;
    }
    for feature in ADAPTER_FEATURES {
        let check = only("revolve-adapters", feature)?;
        process::run(check, interrupt).await?;
    }
    for feature in VERIFY_FEATURES {
        process::run(only("revolve-verify", feature)?, interrupt).await?;
    }
    Ok(())
}

/// Checks a package with one feature, and its dependencies with no more than that asks for.
fn only(package: &str, feature: &str) -> Result<Command> {
    let mut check = cargo(["check", "--quiet", "-p", package])?;
    check.args(["--no-default-features", "--features", feature]);
    // Its C is compiled again and not linked.
    check.args(["--config", "profile.dev.package.libsqlite3-sys.opt-level=0"]);
    Ok(check)
}

/// With an example, so that dependencies have the features of tests, as before. Programs that share the name of a library have no pages of their own.
fn documentation() -> Result<Command> {
    let mut doc = cargo(["doc", "--workspace", "--no-deps", "--lib"])?;
    doc.args(["--example", "judge"])
        .env("RUSTDOCFLAGS", "-D warnings");
    for package in architecture::metadata()?.workspace_packages() {
        let page = |name: &str| name.replace('-', "_");
        let (libraries, others): (Vec<_>, Vec<_>) =
            package.targets.iter().partition(|target| target.is_lib());
        let has_page = |name: &str| {
            libraries
                .iter()
                .any(|target| page(&target.name) == page(name))
        };
        for target in others {
            if target.is_bin() && !has_page(&target.name) {
                doc.args(["--bin", &target.name]);
            }
        }
    }
    Ok(doc)
}

/// Lints the alerts and runs their tests with promtool, if it is installed.
async fn alerts(interrupt: &Interrupt) -> Result<()> {
    let promtool = |words: &[&str]| {
        let mut command = Command::new("promtool");
        command
            .args(words)
            .current_dir(folders::root()?.join("config/prometheus"));
        anyhow::Ok(command)
    };
    if !process::succeeds(&mut promtool(&["--version"])?).await {
        eprintln!(
            "== alerts: promtool is not installed, skipped (Debian: `apt install prometheus`)"
        );
        return Ok(());
    }
    process::run(promtool(&["check", "rules", "alerts.yml"])?, interrupt).await?;
    process::run(promtool(&["test", "rules", "alerts.test.yml"])?, interrupt).await
}

/// The steps so far and their durations.
#[derive(Debug, Default)]
struct StepTimes(Vec<(&'static str, Duration)>);

impl StepTimes {
    async fn step(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        eprintln!("== {name}");
        let begun = Instant::now();
        work.await?;
        let took = begun.elapsed();
        eprintln!("== {name}: passed in {:.1} s", took.as_secs_f64());
        self.0.push((name, took));
        Ok(())
    }

    fn print(&self) {
        let steps: Vec<_> = self
            .0
            .iter()
            .map(|(name, took)| format!("{name} {:.1} s", took.as_secs_f64()))
            .collect();
        eprintln!("== passed: {}", steps.join(", "));
    }
}
