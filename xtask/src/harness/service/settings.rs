//! The configuration of the instances, as environment variables.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use tokio::process::Command;
use url::Url;

use crate::harness::{process, random, windows::Windows};

#[derive(Clone)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The defaults, on any free port.
    pub(crate) fn plain() -> Self {
        Self(BTreeMap::new())
            .with("HTTP__LISTEN", "127.0.0.1:0")
            .with("HTTP__SHUTDOWN_TIMEOUT", "1s")
    }

    /// Any free port, these windows, cheap hashes and signatures, no limits.
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
            // All requests come from one address.
            .with("LIMITS__ENABLED", "false")
            .with("LOG__LEVEL", "warn,revolve::security=error")
            .with("TOKENS__ALGORITHM", "ES256")
            // A Redis that is not the run's own is clean again soon.
            .with("TOKENS__REFRESH_LIFETIME", "1h")
    }

    /// The server profile with a signing key.
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
            .with("SECRETS__MASTER_KEY", &random::key()?)
            .with("TOKENS__SIGNING_KEY", &key))
    }

    /// The server profile with signing keys that the service makes.
    pub(crate) fn server_without_key(self) -> Result<Self> {
        Ok(self
            .with("PROFILE", "server")
            .with("SECRETS__MASTER_KEY", &random::key()?))
    }

    /// The embedded store's folder.
    pub(crate) fn data_dir(self, folder: &Path) -> Self {
        self.with("DATA_DIR", &folder.display().to_string())
    }

    /// Where Redis and Postgres are.
    pub(crate) fn stores(self, redis: &Url, postgres: &Url) -> Self {
        self.with("REDIS__URL", redis.as_str())
            .with("POSTGRES__URL", postgres.as_str())
    }

    /// A variable that is none of the service's.
    pub(crate) fn foreign(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without the setting that an error message names, if it names one: an older release does not know all of them.
    pub(crate) fn without_named(mut self, error: &str) -> Option<Self> {
        let named = self
            .0
            .keys()
            .find(|name| error.contains(name.as_str()))?
            .clone();
        self.0.remove(&named);
        Some(self)
    }

    /// With a setting (`SECTION__KEY`).
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.insert(format!("REVOLVE__{key}"), value.to_owned());
        self
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}
