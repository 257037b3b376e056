//! A client of the service: what it keeps, and how an honest one behaves.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::sleep;

use super::{
    api::{Api, Reply},
    profile::{Answer, Grant},
};

/// How often an honest client tries again while the service is not available, and its pauses.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(200);

/// A client and what it keeps. A clone is another tab, or a thief's copy of the device.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) api: Api,
    pub(crate) grant: Grant,
    /// Whether it sends its device credential, which binds its session.
    pub(crate) sends_credential: bool,
}

impl Client {
    /// The client of a sign-up or sign-in.
    pub(crate) fn from_reply(api: &Api, reply: &Reply, sends_credential: bool) -> Result<Self> {
        let grant = reply
            .grant()
            .with_context(|| format!("signing in: {}", reply.words()))?
            .clone();
        if sends_credential && grant.credential.is_none() {
            bail!("signing in brought no device credential");
        }
        Ok(Self {
            api: api.clone(),
            grant,
            sends_credential,
        })
    }

    /// The same client at another instance.
    pub(crate) fn at(&self, api: &Api) -> Self {
        Self {
            api: api.clone(),
            ..self.clone()
        }
    }

    /// The credential that it sends.
    pub(crate) fn credential(&self) -> Option<&str> {
        self.grant
            .credential
            .as_deref()
            .filter(|_| self.sends_credential)
    }

    /// Refreshes and keeps nothing of the reply.
    pub(crate) async fn refresh(&self) -> Result<Reply> {
        self.present(&self.grant.refresh).await
    }

    /// Refreshes with any token.
    pub(crate) async fn present(&self, token: &str) -> Result<Reply> {
        self.api.refresh(token, self.credential()).await
    }

    /// The same, repeated for as long as the service is not available or does not answer.
    pub(crate) async fn present_until_answered(&self, token: &str) -> Result<Reply> {
        for _ in 0..ATTEMPTS {
            let reply = self.present(token).await?;
            if !matches!(reply.answer, Answer::Unavailable | Answer::Silence(_)) {
                return Ok(reply);
            }
            sleep(PAUSE).await;
        }
        bail!("the service is not available again after {ATTEMPTS} attempts")
    }

    /// Keeps new tokens; a device credential is sent only once.
    pub(crate) fn keep(&mut self, grant: Grant) {
        let credential = grant
            .credential
            .clone()
            .or_else(|| self.grant.credential.take());
        self.grant = Grant {
            credential,
            ..grant
        };
    }

    /// Refreshes and keeps the new tokens; anything but success is an error.
    pub(crate) async fn advance(&mut self) -> Result<Reply> {
        let reply = self.present_until_answered(&self.grant.refresh).await?;
        self.keep_what_was_granted(reply)
    }

    /// The same, tried once.
    pub(crate) async fn try_to_advance(&mut self) -> Result<Reply> {
        let reply = self.refresh().await?;
        self.keep_what_was_granted(reply)
    }

    fn keep_what_was_granted(&mut self, reply: Reply) -> Result<Reply> {
        let grant = reply
            .grant()
            .with_context(|| format!("a refresh in preparation: {}", reply.words()))?
            .clone();
        self.keep(grant);
        Ok(reply)
    }
}
