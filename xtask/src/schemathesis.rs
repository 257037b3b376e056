//! `cargo xtask schemathesis`: requests generated from the OpenAPI document, valid and invalid ones, against an instance of its own. None may
//! be answered with a 5xx or with anything that the document does not describe; what the document forbids may not be accepted. With
//! `--admin` the same of the listener for operators, with a key that may do anything there.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::harness::{
    args, folders,
    interrupt::Interrupt,
    process,
    python::Venv,
    service::{Binary, Instance, Settings},
    stores::{self, ServerStores},
    windows::Windows,
};

/// What the key of the admin API's requests may do.
const ADMIN_SCOPES: &str =
    "users:read,users:write,sessions:write,events:read,deliveries:read,deliveries:write";

/// How long, and over which stores.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Seconds for all requests: the document's examples, then the limits of its schemas, then random ones
    #[arg(long, default_value_t = 75, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Over Redis and Postgres instead of the embedded store
    #[arg(long)]
    server: bool,
    /// The admin API instead of the account API
    #[arg(long)]
    admin: bool,
    /// Repeat the choices of another run
    #[arg(long, value_name = "SEED")]
    seed: Option<u32>,
    #[command(flatten)]
    stores: stores::Args,
}

impl Args {
    /// What every change has to pass: each with its name.
    pub(crate) fn short() -> Result<[(&'static str, Self); 2]> {
        Ok([
            ("schemathesis", args::parse(&["--seconds", "20"])?),
            (
                "schemathesis, admin API",
                args::parse(&["--seconds", "20", "--admin"])?,
            ),
        ])
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
        let folder = folders::temporary("schemathesis")?;
        let settings = settings(args).data_dir(&folder.path().join("data"));
        let home = folder.path().join("home");
        return test(tool, args, (&binary, &settings, home), interrupt).await;
    }
    let stores = ServerStores::start(&args.stores, "schemathesis", interrupt).await?;
    let outcome = async {
        let folder = folders::temporary("schemathesis")?;
        let settings = settings(args).server().await?;
        let settings = settings.stores(stores.redis(), &stores.postgres());
        let home = folder.path().join("home");
        test(tool, args, (&binary, &settings, home), interrupt).await
    };
    let outcome = outcome.await;
    let stopped = stores.shut_down().await;
    outcome.and(stopped)
}

fn settings(args: &Args) -> Settings {
    let settings = Settings::new(&Windows::SHORT).with("ACCOUNTS__VERIFICATION", "off");
    if args.admin {
        settings.with("HTTP__ADMIN_LISTEN", "127.0.0.1:0")
    } else {
        settings
    }
}

async fn test(
    tool: &Venv,
    args: &Args,
    (binary, settings, home): (&Binary, &Settings, PathBuf),
    interrupt: &Interrupt,
) -> Result<()> {
    let work = folders::target()?.join("schemathesis");
    fs::create_dir_all(&work)?;
    let seconds = args.seconds.to_string();
    let seed = args.seed.unwrap_or_else(|| fastrand::u32(..1_000_000_000));
    let seed = seed.to_string();
    eprintln!("seed {seed}");
    let start = Instance::start(binary, settings, home);
    let instance = interrupt.guard(start).await?;
    let ours = folders::root()?.join("xtask/schemathesis");
    let mut command = Command::new(tool.program("st"));
    let (hooks, url, scopes) = if args.admin {
        let base = instance.printed("admin API on ").await?;
        let url = base.strip_suffix("/api/admin").unwrap_or(&base).to_owned();
        ("admin_hooks.py", url, ADMIN_SCOPES)
    } else {
        ("hooks.py", instance.url().to_owned(), "tokens:introspect")
    };
    command
        .env("REVOLVE_URL", &url)
        .env("REVOLVE_API_KEY", instance.make_key(scopes).await?)
        .env("SCHEMATHESIS_HOOKS", ours.join(hooks))
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
        for line in instance.last_log_lines() {
            eprintln!("log: {line}");
        }
    }
    let mut more = String::new();
    for (is_set, word) in [(args.server, " --server"), (args.admin, " --admin")] {
        if is_set {
            more.push_str(word);
        }
    }
    outcome.with_context(|| {
        format!("again: cargo xtask schemathesis --seconds {seconds} --seed {seed}{more}")
    })
}
