//! `cargo xtask schemathesis`: requests made up from the OpenAPI document, right ones and wrong ones, against an instance of its own. None
//! may be answered with a 5xx, or with anything that the document does not say; what the document forbids may not be accepted.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use tokio::process::Command;
use url::Url;

use crate::harness::{
    interrupt::Interrupt,
    process,
    python::Venv,
    service::{Binary, Site},
    stores::{self, Store, Stores, schema::Schema},
    windows::Windows,
};

/// Where, how long, and which.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Seconds for all requests: the document's examples, then the edges of its schemas, then whatever comes to mind
    #[arg(long, default_value_t = 75, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Over Redis and Postgres, in place of the embedded store
    #[arg(long)]
    server: bool,
    /// Repeats the choices of another run
    #[arg(long, value_name = "S")]
    seed: Option<u32>,
    #[command(flatten)]
    stores: stores::Args,
}

impl Args {
    /// What a change must pass.
    pub(crate) fn short() -> Self {
        Self {
            seconds: 20,
            server: false,
            seed: None,
            stores: stores::Args::default(),
        }
    }
}

/// The tool, ready to be run; an error says why it can't be had.
pub(crate) async fn prepare(interrupt: &Interrupt) -> Result<Venv> {
    let root = crate::harness::folders::root()?;
    interrupt
        .guard(Venv::prepare(
            root.join("target/schemathesis/venv"),
            &root.join("xtask/schemathesis/requirements.txt"),
        ))
        .await
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let tool = prepare(interrupt).await?;
    run_with(&tool, args, interrupt).await
}

/// Builds the service, starts it over stores of its own, and lets the tool at it.
pub(crate) async fn run_with(tool: &Venv, args: &Args, interrupt: &Interrupt) -> Result<()> {
    let binary = Binary::build(false, interrupt).await?;
    if !args.server {
        let site = Site::embedded(&binary, &Windows::SHORT, &[], interrupt)
            .await
            .context("the embedded store")?;
        return test(tool, args, &site, interrupt).await;
    }
    let stores = Stores::start(&args.stores, false, interrupt).await?;
    let outcome = on_server(tool, args, &binary, &stores, interrupt).await;
    stores.shut_down().await;
    outcome
}

async fn on_server(
    tool: &Venv,
    args: &Args,
    binary: &Binary,
    stores: &Stores,
    interrupt: &Interrupt,
) -> Result<()> {
    let url = |scheme: &str| -> Result<Url> {
        let found = stores
            .running
            .iter()
            .map(Store::url)
            .find(|url| url.starts_with(scheme));
        found
            .with_context(|| format!("{scheme} was not started"))?
            .parse()
            .with_context(|| format!("the URL of {scheme} is none"))
    };
    let (redis, postgres) = (url("redis")?, url("postgres")?);
    let schema =
        Schema::create(&postgres, format!("schemathesis_{:08x}", fastrand::u32(..))).await?;
    let outcome = async {
        let site = Site::server(
            binary,
            &Windows::SHORT,
            &[],
            (&redis, &schema.url()),
            interrupt,
        )
        .await
        .context("the server stores")?;
        test(tool, args, &site, interrupt).await
    };
    let outcome = outcome.await;
    let removed = schema.remove().await;
    outcome.and(removed)
}

async fn test(tool: &Venv, args: &Args, site: &Site, interrupt: &Interrupt) -> Result<()> {
    let (root, seed) = (
        crate::harness::folders::root()?,
        args.seed.unwrap_or_else(|| fastrand::u32(..1_000_000_000)),
    );
    let work = root.join("target/schemathesis");
    fs::create_dir_all(&work)?;
    let url = site.urls.first().context("no instance was started")?;
    let again = format!(
        "cargo xtask schemathesis --seconds {} --seed {seed}{}",
        args.seconds,
        if args.server { " --server" } else { "" }
    );
    eprintln!("{}: seed {seed}", site.name);
    let command = command(
        tool,
        (&work, &root.join("xtask/schemathesis")),
        url,
        args.seconds,
        seed,
    );
    let outcome = process::run(command, interrupt).await;
    if outcome.is_err() {
        for complaint in site.complaints() {
            eprintln!("the service said: {complaint}");
        }
    }
    outcome.with_context(|| format!("again: {again}"))
}

/// The tool's own configuration, so that one on the way up from the working directory is not read instead, lies beside the hooks.
fn command(
    tool: &Venv,
    (work, ours): (&Path, &Path),
    url: &str,
    seconds: u32,
    seed: u32,
) -> Command {
    let mut command = Command::new(tool.program("st"));
    command
        .env("REVOLVE_URL", url)
        .env("SCHEMATHESIS_HOOKS", ours.join("hooks.py"))
        .current_dir(work);
    // Nothing is left in our sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
        .arg("--config-file")
        .arg(ours.join("schemathesis.toml"));
    command.arg("run").arg(format!("{url}/openapi.json"));
    command.args([
        "--max-time",
        &seconds.to_string(),
        "--seed",
        &seed.to_string(),
    ]);
    command
}
