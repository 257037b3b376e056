//! `cargo xtask schemathesis`: requests generated from the OpenAPI document, valid and invalid ones, against an instance of its own. None may
//! be answered with a 5xx or with anything that the document does not describe; what the document forbids may not be accepted.

use std::fs;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::harness::{
    args, folders,
    interrupt::Interrupt,
    process,
    python::Venv,
    service::{Binary, Deployment},
    stores::{self, ServerStores},
    windows::Windows,
};

/// How long, and over which stores.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Seconds for all requests: the document's examples, then the limits of its schemas, then random ones
    #[arg(long, default_value_t = 75, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Over Redis and Postgres instead of the embedded store
    #[arg(long)]
    server: bool,
    /// Repeat the choices of another run
    #[arg(long, value_name = "SEED")]
    seed: Option<u32>,
    #[command(flatten)]
    stores: stores::Args,
}

impl Args {
    /// What every change has to pass.
    pub(crate) fn short() -> Result<Self> {
        args::parse(&["--seconds", "20"])
    }
}

/// Installs the tool; an error says why that can't be done.
pub(crate) async fn prepare(interrupt: &Interrupt) -> Result<Venv> {
    let requirements = folders::root()?.join("xtask/schemathesis/requirements.txt");
    let venv = folders::target()?.join("schemathesis/venv");
    interrupt.guard(Venv::prepare(venv, &requirements)).await
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let tool = prepare(interrupt).await?;
    run_with(&tool, args, interrupt).await
}

/// Builds the service, starts it over stores of its own, and runs the tool.
pub(crate) async fn run_with(tool: &Venv, args: &Args, interrupt: &Interrupt) -> Result<()> {
    let binary = Binary::build(false, interrupt).await?;
    if !args.server {
        let deployment = Deployment::embedded(&binary, &Windows::SHORT, interrupt).await?;
        return test(tool, args, &deployment, interrupt).await;
    }
    let stores = ServerStores::start(&args.stores, "schemathesis", interrupt).await?;
    let outcome = async {
        let deployment = Deployment::server(&binary, &Windows::SHORT, &stores, interrupt).await?;
        test(tool, args, &deployment, interrupt).await
    };
    let outcome = outcome.await;
    let stopped = stores.shut_down().await;
    outcome.and(stopped)
}

async fn test(
    tool: &Venv,
    args: &Args,
    deployment: &Deployment,
    interrupt: &Interrupt,
) -> Result<()> {
    let work = folders::target()?.join("schemathesis");
    fs::create_dir_all(&work)?;
    let seconds = args.seconds.to_string();
    let seed = args.seed.unwrap_or_else(|| fastrand::u32(..1_000_000_000));
    let seed = seed.to_string();
    eprintln!("{}: seed {seed}", deployment.name);
    let urls = deployment.urls();
    let url = urls.first().context("no instance was started")?;
    let ours = folders::root()?.join("xtask/schemathesis");
    let mut command = Command::new(tool.program("st"));
    command
        .env("REVOLVE_URL", url)
        .env("SCHEMATHESIS_HOOKS", ours.join("hooks.py"))
        // No compiled files beside the sources.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&work)
        // Named, so that none above the working directory is read.
        .arg("--config-file")
        .arg(ours.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("{url}/openapi.json"))
        .args(["--max-time", &seconds, "--seed", &seed]);
    let outcome = process::run(command, interrupt).await;
    if outcome.is_err() {
        for line in deployment.last_log_lines() {
            eprintln!("log: {line}");
        }
    }
    let server = if args.server { " --server" } else { "" };
    outcome.with_context(|| {
        format!("again: cargo xtask schemathesis --seconds {seconds} --seed {seed}{server}")
    })
}
