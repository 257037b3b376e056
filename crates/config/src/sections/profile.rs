//! `profile`: which stores the service runs on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which stores the service runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// One SQLite file; keys are made on first start.
    #[default]
    Embedded,
    /// Redis and Postgres; every secret is given.
    Server,
}

impl Profile {
    pub(crate) const fn file_name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded.toml",
            Self::Server => "server.toml",
        }
    }
}
