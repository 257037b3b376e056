//! Every key with its unit and default.

use super::{ConfigError, Secret, Tokens};
use revolve_domain::{
    policy::SessionPolicy,
    rotation::{RetryPolicy, ReusePolicy},
};
use secrecy::SecretString;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Which stores the service runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// One SQLite file; keys are made on first start.
    #[default]
    Embedded,
    /// Redis and Postgres; every secret is given.
    Server,
}

impl Profile {
    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded.toml",
            Self::Server => "server.toml",
        }
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
        }
    }
}

/// `[secrets]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// 32 random bytes in base64url. Stored keys are sealed under it, and the key for device credentials and the first one
    /// for refresh tokens are derived from it.
    pub master_key: Option<SecretString>,
    /// The same as a file.
    pub master_key_file: Option<PathBuf>,
}

/// What happens when a token is used that was no longer its client's to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReusePolicyName {
    /// The session ends.
    #[default]
    Revoke,
    /// The token is refused and the session goes on.
    Reject,
}

/// `[sessions]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Life of a session since its sign-in; 90 days.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// Live sessions a user may have; 10.
    pub max_per_user: usize,
    /// For so long after a rotation a retry is free; 10 s.
    #[serde(with = "humantime_serde")]
    pub retry_free: Duration,
    /// Later, and up to here, it is a late retry; 10 min, 0 for none.
    #[serde(with = "humantime_serde")]
    pub retry_window: Duration,
    /// The same for a session that is bound to its device; 24 h.
    #[serde(with = "humantime_serde")]
    pub bound_retry_window: Duration,
    /// So many generations in a row may be retried late; 3.
    pub late_retries: u32,
    /// `revoke` or `reject`.
    pub reuse_policy: ReusePolicyName,
}

impl Default for Sessions {
    fn default() -> Self {
        let (policy, retry) = (SessionPolicy::default(), RetryPolicy::default());
        Self {
            lifetime: policy.session_lifetime,
            max_per_user: policy.max_per_user,
            retry_free: retry.retry_free,
            retry_window: retry.retry_window,
            bound_retry_window: retry.bound_retry_window,
            late_retries: retry.late_retries,
            reuse_policy: ReusePolicyName::Revoke,
        }
    }
}

/// `[http]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address to listen on; 127.0.0.1:8080. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address for `/metrics`; none by default. Not for the outside world.
    pub metrics_listen: Option<SocketAddr>,
    /// Worker threads; as many as cores.
    pub workers: Option<usize>,
    /// How long requests in flight may take after SIGTERM; 20 s.
    #[serde(with = "humantime_serde")]
    pub shutdown_timeout: Duration,
    /// Clients that may wait for a change of the revocation feed at once, by long-poll or on a stream; 1000. More get a 503.
    pub max_watchers: usize,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: None,
            workers: None,
            shutdown_timeout: Duration::from_secs(20),
            max_watchers: 1000,
        }
    }
}

/// `[redis]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://[:password@]host:port/[db]`
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Long-lived connections that all requests share; 2.
    pub connections: usize,
    /// Longest time for one step, connecting included; 1 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, url_file: None, connections: 2, timeout: Duration::from_secs(1) }
    }
}

/// `[postgres]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user:password@host:port/database`
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Connections at most; 16.
    pub pool_size: usize,
    /// Longest time for one statement, waiting for a connection included; 2 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Postgres {
    fn default() -> Self {
        Self { url: None, url_file: None, pool_size: 16, timeout: Duration::from_secs(2) }
    }
}

/// `[hashing]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hashing {
    /// Memory per hash in KiB; 19456.
    pub memory_kib: u32,
    /// Passes over it; 2.
    pub passes: u32,
    /// Lanes; 1.
    pub lanes: u32,
    /// Hashes computed at once; as many as cores.
    pub threads: Option<usize>,
    /// Longest wait for a free thread; 5 s.
    #[serde(with = "humantime_serde")]
    pub patience: Duration,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1, threads: None, patience: Duration::from_secs(5) }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A filter such as `info,actix_server=warn` (the default) or `info,revolve=debug`.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info,actix_server=warn".to_owned(), format: LogFormat::Text }
    }
}

impl Config {
    /// The numbers that the domain needs.
    pub fn policy(&self) -> SessionPolicy {
        SessionPolicy {
            id_lifetime: self.tokens.id_lifetime,
            refresh_lifetime: self.tokens.refresh_lifetime,
            session_lifetime: self.sessions.lifetime,
            max_per_user: self.sessions.max_per_user,
            retry: RetryPolicy {
                retry_free: self.sessions.retry_free,
                retry_window: self.sessions.retry_window,
                bound_retry_window: self.sessions.bound_retry_window,
                late_retries: self.sessions.late_retries,
                reuse: match self.sessions.reuse_policy {
                    ReusePolicyName::Revoke => ReusePolicy::Revoke,
                    ReusePolicyName::Reject => ReusePolicy::Reject,
                },
            },
        }
    }

    /// The master key, if one is given.
    ///
    /// # Errors
    /// [`ConfigError`] if its file can't be read.
    pub fn master_key(&self) -> Result<Secret, ConfigError> {
        Secret::resolve("secrets.master_key", self.secrets.master_key.as_ref(), self.secrets.master_key_file.as_ref())
    }

    /// The private key that signs ID tokens, if one is given.
    ///
    /// # Errors
    /// [`ConfigError`] if its file can't be read.
    pub fn signing_key(&self) -> Result<Secret, ConfigError> {
        Secret::resolve("tokens.signing_key", self.tokens.signing_key.as_ref(), self.tokens.signing_key_file.as_ref())
    }

    /// Where Redis is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not given or its file can't be read.
    pub fn redis_url(&self) -> Result<SecretString, ConfigError> {
        Secret::resolve("redis.url", self.redis.url.as_ref(), self.redis.url_file.as_ref())?.required("redis.url")
    }

    /// Where Postgres is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not given or its file can't be read.
    pub fn postgres_url(&self) -> Result<SecretString, ConfigError> {
        Secret::resolve("postgres.url", self.postgres.url.as_ref(), self.postgres.url_file.as_ref())?.required("postgres.url")
    }

    /// What types alone can't say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let second = Duration::from_secs(1);
        let tokens = self.tokens.rules();
        let rules = [
            (self.tokens.feed_interval >= Duration::from_millis(50), "tokens.feed_interval: must be at least 50ms"),
            (self.sessions.lifetime >= second, "sessions.lifetime: must be at least 1s"),
            (self.sessions.max_per_user >= 1, "sessions.max_per_user: must be at least 1"),
            (self.redis.connections >= 1, "redis.connections: must be at least 1"),
            (self.postgres.pool_size >= 1, "postgres.pool_size: must be at least 1"),
            (self.http.workers != Some(0), "http.workers: must be at least 1"),
            (self.hashing.threads != Some(0), "hashing.threads: must be at least 1"),
        ];
        let broken: Vec<String> = tokens.iter().chain(&rules).filter(|(holds, _)| !holds).map(|(_, rule)| format!("  {rule}")).collect();
        if broken.is_empty() { Ok(()) } else { Err(ConfigError::new(broken.join("\n"))) }
    }
}
