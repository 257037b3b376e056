//! `cargo xtask schemathesis`: requests generated from the OpenAPI document, valid and invalid ones, against an instance of its own. None may
//! be answered with a 5xx or with anything that the document does not describe; what the document forbids may not be accepted. With
//! `--admin` the same of the listener for operators, with a key that may do anything there; and each operation has to be carried out at least
//! once, since of one that refuses everything little is tested.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{
    admin::AdminApi,
    args, folders,
    http::HttpClient,
    interrupt::Interrupt,
    process,
    python::Venv,
    service::{Binary, Instance, Settings},
    stores::{self, ServerStores},
    windows::Windows,
};

/// Of the key that may do anything.
const SCOPES: &str = "users:read,users:write,sessions:write,events:read,deliveries:read,deliveries:write,webhooks:write";
/// Nobody listens there, so that mails wait.
const NO_MAIL_SERVER: &str = "smtp://127.0.0.1:9?tls=off";

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
                args::parse(&["--seconds", "30", "--admin"])?,
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
        settings
            .with("HTTP__ADMIN_LISTEN", "127.0.0.1:0")
            .with("MAIL__URL", NO_MAIL_SERVER)
            .with("MAIL__FROM", "accounts@example.org")
            .with("WEBHOOKS__ALLOW_PRIVATE", "127.0.0.0/8")
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
    // What an earlier run has left says nothing of this one.
    let answers = work.join("answers.json");
    drop(fs::remove_file(&answers));
    let mut command = Command::new(tool.program("st"));
    let (hooks, url) = if args.admin {
        let admin = AdminApi::of(&instance, SCOPES).await?;
        command
            .env("REVOLVE_API_KEY", admin.key())
            .env("REVOLVE_PUBLIC_URL", instance.url())
            .env("REVOLVE_ANSWERS", &answers);
        ("admin_hooks.py", admin.origin().to_owned())
    } else {
        let key = instance.make_key("tokens:introspect").await?;
        command.env("REVOLVE_API_KEY", key);
        ("hooks.py", instance.url().to_owned())
    };
    command
        .env("REVOLVE_URL", &url)
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
    let http = HttpClient::new()?;
    let document = http.get(&format!("{url}/openapi.json")).await?.json()?;
    let mut outcome = process::run(command, interrupt).await;
    if args.admin && outcome.is_ok() {
        outcome = all_carried_out(&document, &answers);
    }
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

/// Fails if an operation that needs a key was refused each time.
fn all_carried_out(document: &Value, answers: &Path) -> Result<()> {
    let answers = fs::read(answers).context("the hooks have not written the answers")?;
    let answers: BTreeMap<String, Vec<u16>> = serde_json::from_slice(&answers)?;
    let refused = refused(document, &answers);
    ensure!(
        refused.is_empty(),
        "never carried out: {}; see xtask/schemathesis/admin_hooks.py",
        refused.join(", ")
    );
    Ok(())
}

fn refused<'a>(document: &'a Value, answers: &BTreeMap<String, Vec<u16>>) -> Vec<&'a str> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, path)| path.as_object().into_iter().flatten());
    let guarded = operations.filter(|(_, operation)| operation["security"].is_array());
    guarded
        .filter_map(|(_, operation)| operation["operationId"].as_str())
        .filter(|id| {
            let mut statuses = answers.get(*id).into_iter().flatten();
            !statuses.any(|status| (200..300).contains(status))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_refused_each_time_is_named() {
        let operation = |id: &str| json!({ "operationId": id, "security": [{ "apiKey": [] }] });
        let document = json!({ "paths": {
            "/users": { "get": operation("listUsers"), "post": operation("createUser"), "parameters": [] },
            "/events": { "get": operation("listEvents") },
            "/docs": { "get": { "operationId": "docs" } },
        } });
        let answers = [("listUsers", &[200, 422][..]), ("createUser", &[409, 422])];
        let answers = answers.map(|(id, statuses)| (id.to_owned(), statuses.to_vec()));
        let mut found = refused(&document, &answers.into());
        found.sort_unstable();
        assert_eq!(found, ["createUser", "listEvents"]);
    }
}
