//! The servers of the tour: a fresh one of ours, and the example of a service that verifies its tokens.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{browser::Browser, device::DeviceClient, mailbox::Mailbox};
use crate::harness::{
    folders,
    proxy::Proxy,
    service::{Binary, Instance, Settings},
};

/// The address of her account.
pub(super) const EMAIL: &str = "ann@example.org";
/// `sessions.retry_free`: shorter than the default, so that the tour need not wait.
pub(super) const RETRY_FREE: Duration = Duration::from_secs(1);

pub(super) struct TourSetup {
    pub(super) instance: Instance,
    /// `iss`, and where the service answers: at a proxy, whose port is known before the service starts.
    pub(super) issuer: String,
    /// Where the relying service greets the user of a token.
    pub(super) hello: String,
    _proxy: Proxy,
    _relying: Child,
    _folder: TempDir,
}

impl TourSetup {
    pub(super) async fn start(binary: &Binary, relying: &Binary) -> Result<Self> {
        let folder = folders::temporary("tour")?;
        let proxy = Proxy::bind().await?;
        let issuer = proxy.http_url();
        let retry_free = format!("{}s", RETRY_FREE.as_secs());
        let settings = Settings::plain()
            .with("TOKENS__ISSUER", &issuer)
            .with("SESSIONS__RETRY_FREE", &retry_free)
            .with("HTTP__ADMIN_LISTEN", "127.0.0.1:0");
        let instance = Instance::start(binary, &settings, folder.path().join("service")).await?;
        proxy.lead_to(&instance.url().parse()?)?;
        let (relying, hello) = relying_service(relying, &issuer).await?;
        Ok(Self {
            instance,
            issuer,
            hello,
            _proxy: proxy,
            _relying: relying,
            _folder: folder,
        })
    }

    pub(super) fn device(&self) -> Result<DeviceClient> {
        DeviceClient::new(&self.issuer)
    }

    pub(super) fn browser(&self) -> Result<Browser> {
        Browser::new(&self.issuer)
    }

    /// Where the mails are that nobody has read.
    pub(super) fn mailbox(&self) -> Mailbox {
        Mailbox::new(self.instance.home().join("data/mail"))
    }
}

/// Starts the example for relying services, which knows the issuer's URL and nothing else. Returns the URL that greets.
async fn relying_service(binary: &Binary, issuer: &str) -> Result<(Child, String)> {
    let mut command = Command::new(binary.path());
    command
        .env("ISSUER", issuer)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().context("could not run the example")?;
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
