//! `cargo xtask tour`: plays the whole story against a fresh server of our own and a service that verifies its tokens, and prints what
//! happened. Whatever happens otherwise than it should ends the tour with an error, so it is a test, too.

mod client;
mod output;
mod story;

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
};

use self::client::Client;
use crate::{
    harness::{
        interrupt::Interrupt,
        process,
        service::{Binary, Instance, Settings},
    },
    interop::front::{Front, Serving},
};

/// `sessions.retry_free`: shorter than by default, so that nobody has to wait for the thief.
const RETRY_FREE: Duration = Duration::from_secs(1);

pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    eprintln!("building the service, and one that verifies its tokens");
    let binary = Binary::build(false, interrupt).await?;
    process::run(
        process::cargo(["build", "--quiet", "--package", "relying-service"])?,
        interrupt,
    )
    .await?;
    let mut stage = Stage::set(&binary).await?;
    let played = Box::pin(interrupt.guard(story::play(&mut stage))).await;
    let stopped = stage.instance.stop().await;
    played.and(stopped)
}

/// Everything on it is new, and gone afterwards.
struct Stage {
    instance: Instance,
    /// What the service calls itself, and where it is.
    issuer: String,
    /// Where the service that verifies tokens greets whoever shows one.
    hello: String,
    _front: Serving,
    _relying: Child,
    _folder: TempDir,
}

impl Stage {
    async fn set(binary: &Binary) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("revolve-tour-")
            .tempdir()
            .context("could not make a temporary directory")?;
        let front = Front::bind().await?;
        let issuer = front.url()?;
        let settings = Settings::plain().with("TOKENS__ISSUER", &issuer).with(
            "SESSIONS__RETRY_FREE",
            &format!("{}s", RETRY_FREE.as_secs()),
        );
        let instance = Instance::start(binary, &settings, folder.path().join("service")).await?;
        let behind = instance
            .url()
            .strip_prefix("http://")
            .context("the service has no address")?
            .to_owned();
        let front = front.serve(behind);
        let (relying, hello) = relying_service(&issuer).await?;
        Ok(Self {
            instance,
            issuer,
            hello,
            _front: front,
            _relying: relying,
            _folder: folder,
        })
    }

    fn client(&self) -> Result<Client> {
        Client::new(&self.issuer)
    }
}

/// The example for relying services, as a process of its own: it knows the issuer's URL, and nothing else.
async fn relying_service(issuer: &str) -> Result<(Child, String)> {
    let mut command = process::cargo(["run", "--quiet", "--package", "relying-service"])?;
    command
        .env("ISSUER", issuer)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().context("could not run cargo")?;
    let mut lines = BufReader::new(child.stdout.take().context("cargo has no output")?).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(url) = line.strip_prefix("axum:") {
            let url = url.trim().to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((child, url));
        }
    }
    bail!("the service that verifies tokens does not start")
}
