//! The configuration: built-in defaults, then files, then the environment. Unknown keys are refused; secrets can also be
//! read from files. One file per section. What is in here with secrets is dropped after wiring.

mod hashing;
mod http;
mod load;
mod log;
mod postgres;
mod profile;
mod redis;
mod secret;
mod secrets;
mod sessions;
mod tokens;
mod traces;

pub use hashing::Hashing;
pub use http::Http;
pub use log::{Log, LogFormat};
pub use postgres::Postgres;
pub use profile::Profile;
pub use redis::Redis;
pub use secret::Secret;
pub use secrets::Secrets;
pub use sessions::{ReusePolicyName, Sessions};
pub use tokens::Tokens;
pub use traces::Traces;

use serde::Deserialize;
use std::path::PathBuf;

/// The configuration is wrong. Says where and what, never a secret.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong:\n{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A mistake in words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which stores.
    pub profile: Profile,
    /// Where the embedded profile keeps its database and keys; `data` below the working directory.
    pub data_dir: PathBuf,
    /// Secrets that everything else is derived from.
    pub secrets: Secrets,
    /// Tokens.
    pub tokens: Tokens,
    /// Sessions.
    pub sessions: Sessions,
    /// The HTTP server.
    pub http: Http,
    /// The white list of the server profile.
    pub redis: Redis,
    /// The user database of the server profile.
    pub postgres: Postgres,
    /// Password hashes.
    pub hashing: Hashing,
    /// Log lines.
    pub log: Log,
    /// Traces.
    pub traces: Traces,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            data_dir: PathBuf::from("data"),
            secrets: Secrets::default(),
            tokens: Tokens::default(),
            sessions: Sessions::default(),
            http: Http::default(),
            redis: Redis::default(),
            postgres: Postgres::default(),
            hashing: Hashing::default(),
            log: Log::default(),
            traces: Traces::default(),
        }
    }
}

/// What a section can't say by types alone: whether it holds, and the line for when it does not.
type Rule = (bool, &'static str);

impl Config {
    /// Every rule that is broken, one line each.
    fn check(&self) -> Result<(), ConfigError> {
        let rules = [
            self.tokens.rules(),
            self.sessions.rules(),
            self.redis.rules(),
            self.postgres.rules(),
            self.http.rules(),
            self.hashing.rules(),
            self.traces.rules(),
        ];
        let broken: Vec<String> = rules.iter().flatten().filter(|(holds, _)| !holds).map(|(_, rule)| format!("  {rule}")).collect();
        if broken.is_empty() { Ok(()) } else { Err(ConfigError::new(broken.join("\n"))) }
    }
}
