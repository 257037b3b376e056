//! `[log]`: log lines.

use super::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A filter such as `info,actix_server=warn` (the default) or `info,revolve=debug`.
    #[schemars(extend("x-reload" = true))]
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info,actix_server=warn".to_owned(),
            format: LogFormat::Text,
        }
    }
}

impl Log {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![(
            EnvFilter::try_new(&self.level).is_ok(),
            "log.level: this is no filter; write a level, or targets with levels, such as info,revolve=debug",
        )]
    }
}
