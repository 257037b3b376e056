//! The configuration of our own instances, as an environment.

use std::collections::BTreeMap;

use anyhow::Result;
use tokio::process::Command;
use url::Url;

use crate::{
    harness::{process, windows::Windows},
    secrets,
};

/// Variables for an instance.
#[derive(Clone)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The defaults, on any port.
    pub(crate) fn plain() -> Self {
        Self(BTreeMap::new())
            .with("HTTP__LISTEN", "127.0.0.1:0")
            .with("HTTP__SHUTDOWN_TIMEOUT", "1s")
    }

    /// What all have in common: any port, short windows, cheap hashes and signatures.
    pub(crate) fn new(windows: &Windows) -> Self {
        let time = |time| humantime::format_duration(time).to_string();
        Self::plain()
            .with("HTTP__WORKERS", "2")
            .with("SESSIONS__RETRY_FREE", &time(windows.retry_free))
            .with("SESSIONS__RETRY_WINDOW", &time(windows.retry_window))
            .with(
                "SESSIONS__BOUND_RETRY_WINDOW",
                &time(windows.bound_retry_window),
            )
            .with("SESSIONS__LATE_RETRIES", &windows.late_retries.to_string())
            .with("SESSIONS__MAX_PER_USER", "50")
            .with("HASHING__MEMORY_KIB", "64")
            .with("HASHING__PASSES", "1")
            // One address and a few accounts do what a thousand clients would.
            .with("LIMITS__ENABLED", "false")
            .with("LOG__LEVEL", "warn,revolve::security=error")
            .with("TOKENS__ALGORITHM", "ES256")
            // What a run leaves behind in a Redis that is not its own is soon gone.
            .with("TOKENS__REFRESH_LIFETIME", "1h")
    }

    /// The server profile, which wants all of its secrets.
    pub(crate) async fn server(self) -> Result<Self> {
        let mut openssl = Command::new("openssl");
        let key = process::output(openssl.args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]))
        .await?;
        Ok(self
            .with("PROFILE", "server")
            .with("SECRETS__MASTER_KEY", &secrets::random()?)
            .with("TOKENS__SIGNING_KEY", &key))
    }

    /// The server profile with keys that it makes itself.
    pub(crate) fn server_without_key(self) -> Result<Self> {
        Ok(self
            .with("PROFILE", "server")
            .with("SECRETS__MASTER_KEY", &secrets::random()?))
    }

    /// Where its stores are.
    pub(crate) fn stores(self, redis: &Url, postgres: &Url) -> Self {
        self.with("REDIS__URL", redis.as_str())
            .with("POSTGRES__URL", postgres.as_str())
    }

    /// Longer windows for those that are stopped and started again, which takes its time and is not about windows.
    pub(super) fn patient(self) -> Self {
        self.with("SESSIONS__RETRY_WINDOW", "60s")
            .with("SESSIONS__BOUND_RETRY_WINDOW", "60s")
    }

    /// Short timeouts for stores that will be gone, and the longest window for bound sessions: an outage may outlast the plain one.
    pub(super) fn impatient(self) -> Self {
        self.with("REDIS__TIMEOUT", "300ms")
            .with("POSTGRES__TIMEOUT", "500ms")
            .with("SESSIONS__BOUND_RETRY_WINDOW", "60s")
    }

    /// One that is none of the service's own.
    pub(crate) fn foreign(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without the one that a complaint names, if it names one: for an older release, which does not know all of them.
    pub(crate) fn without_named(mut self, complaint: &str) -> Option<Self> {
        let named = self
            .0
            .keys()
            .find(|name| complaint.contains(name.as_str()))?
            .clone();
        self.0.remove(&named);
        Some(self)
    }

    /// One more.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.insert(format!("REVOLVE__{key}"), value.to_owned());
        self
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}
