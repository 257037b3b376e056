//! SIGHUP: reads the configuration anew and applies what can be applied without a restart. A configuration that is wrong
//! changes nothing, and a part that can't take the new one keeps the old.

use crate::{
    config::{Config, ConfigError, Effective, Loaded},
    keys::LiveKeys,
};
use anyhow::Result;
use async_trait::async_trait;
use revolve_domain::limits::LiveLimits;
use revolve_listener::Certificate;
use revolve_observe::telemetry;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A part of the service that can be changed while it runs. The keys whose values it takes say so in the schema
/// (`x-reload`).
#[async_trait]
pub(crate) trait Reloads: Send + Sync {
    /// How messages call it.
    fn name(&self) -> &'static str;

    /// Takes what concerns it, or stays as it is.
    async fn reload(&self, config: &Config) -> Result<()>;
}

/// Follows the files and variables that the configuration came from.
pub struct Reload {
    read: fn(Option<&Path>) -> Result<Loaded, ConfigError>,
    file: Option<PathBuf>,
    /// What the service was started with, but for what was reloaded since.
    effective: Effective,
    parts: Vec<Arc<dyn Reloads>>,
}

impl Reload {
    pub(crate) fn new(
        read: fn(Option<&Path>) -> Result<Loaded, ConfigError>,
        file: Option<PathBuf>,
        effective: Effective,
        parts: Vec<Arc<dyn Reloads>>,
    ) -> Self {
        Self {
            read,
            file,
            effective,
            parts,
        }
    }

    /// Reads the configuration and applies it; the log says what came of it.
    pub async fn now(&mut self) {
        let loaded = match (self.read)(self.file.as_deref()) {
            Ok(loaded) => loaded,
            Err(error) => {
                for mistake in error.mistakes() {
                    tracing::error!(%mistake, "the new configuration is wrong");
                }
                tracing::error!("the new configuration was refused, the old one stays");
                return;
            }
        };
        let changes = self.effective.changes(&loaded.effective);
        if changes.iter().any(|change| change.key == "profile") {
            // Another store and other defaults: nothing that could be taken in part.
            tracing::error!(
                "another profile needs a restart; the new configuration was refused, the old one stays"
            );
            return;
        }
        let mut failed = false;
        for part in
            std::iter::once(&LogLevel as &dyn Reloads).chain(self.parts.iter().map(|part| &**part))
        {
            if let Err(error) = part.reload(&loaded.config).await {
                tracing::error!(
                    part = part.name(),
                    error = format!("{error:#}"),
                    "this could not be reloaded and stays as it is"
                );
                failed = true;
                continue;
            }
            tracing::debug!(part = part.name(), "reloaded");
        }
        for change in &changes {
            if change.reloads {
                tracing::info!(key = change.key, "changed");
            } else {
                tracing::warn!(
                    key = change.key,
                    "changed, but needs a restart to take effect"
                );
            }
        }
        tracing::info!(
            changed = changes.iter().filter(|change| change.reloads).count(),
            "reloaded the configuration"
        );
        // What failed is tried and logged again with the next reload.
        if !failed {
            self.effective.take(&loaded.effective);
        }
    }
}

/// What is logged.
struct LogLevel;

#[async_trait]
impl Reloads for LogLevel {
    fn name(&self) -> &'static str {
        "log level"
    }

    async fn reload(&self, config: &Config) -> Result<()> {
        Ok(telemetry::set_level(&config.log.level)?)
    }
}

/// How often something may be tried.
#[async_trait]
impl Reloads for LiveLimits {
    fn name(&self) -> &'static str {
        "limits"
    }

    async fn reload(&self, config: &Config) -> Result<()> {
        self.set(config.limits.policy());
        Ok(())
    }
}

#[async_trait]
impl Reloads for LiveKeys {
    fn name(&self) -> &'static str {
        "keys"
    }

    /// Reads the keys at once, so that an operator who changed them need not wait for `tokens.key_refresh`.
    async fn reload(&self, _: &Config) -> Result<()> {
        Ok(self.keep().await?)
    }
}

#[async_trait]
impl Reloads for Certificate {
    fn name(&self) -> &'static str {
        "certificate"
    }

    /// The files that were named at the start are read again.
    async fn reload(&self, _: &Config) -> Result<()> {
        Self::reload(self)?;
        Ok(())
    }
}
