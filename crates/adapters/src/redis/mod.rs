//! The white list in Redis 7: one hash per live session, one index per user, one Lua script per intent. What decides on a
//! rotation lives in `lua/`; nothing in here knows SQL, tokens' signatures or HTTP, and no type of the Redis client leaves it.
//!
//! - `limits`: buckets for limits, beside the white list
//! - `links`: a few shared connections, and how they come back after a fault
//! - `server`: whether the server at the other end will do
//! - `scripts`, `keys`, `reply`: the words of the conversation
//! - `failure`: what went wrong, and whether it passes by itself

mod failure;
mod keys;
mod limits;
mod links;
mod reply;
mod scripts;
mod server;
mod slot;
mod tokens;

use deadpool_redis::redis::{self, IntoConnectionInfo, RedisError};
use failure::Failure;
pub use limits::{BucketNames, RedisLimits};
use links::Links;
use revolve_domain::ports::StoreError;
use scripts::Scripts;
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, sync::Arc, time::Duration};

/// Where Redis is, and how it is used.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `redis://[[user]:password@]host[:port][/db]`
    pub url: SecretString,
    /// So many connections are kept open and shared by all requests; at least 1. More than a few cost CPU and gain nothing.
    pub connections: usize,
    /// Every operation has an answer by then, connecting included.
    pub timeout: Duration,
}

impl RedisConfig {
    /// Two connections, one second.
    pub fn new(url: SecretString) -> Self {
        Self { url, connections: 2, timeout: Duration::from_secs(1) }
    }

    /// Whether the URL is one, so that a mistake in it can be told before anything is started.
    pub fn is_url(&self) -> bool {
        connection_info(&self.url).is_ok()
    }
}

/// The white list in Redis.
pub struct RedisTokens {
    links: Arc<Links>,
    scripts: Scripts,
}

impl RedisTokens {
    /// Reaches Redis, makes sure that it will do, and loads the scripts.
    ///
    /// Warns if Redis is set up so that it may forget sessions.
    ///
    /// # Errors
    /// Unavailable if Redis can't be reached, is still loading or is a replica; broken if the URL, the password or the version is
    /// wrong. The error's sources name host and port, never the password.
    pub async fn connect(config: RedisConfig) -> Result<Self, StoreError> {
        let refused = |failure: Failure| failure.while_it_should("connect");
        let links = Arc::new(Links::new(&config).map_err(|source| refused(Failure::Url { source }))?);
        let scripts = Scripts::new();
        let info: String = links.command(redis::cmd("INFO")).await.map_err(refused)?;
        server::check(&info).map_err(|unfit| refused(Failure::Unfit { address: links.address(), source: unfit }))?;
        for warning in server::warnings(&info) {
            tracing::warn!(redis = %links.address(), "{warning}");
        }
        scripts.load(&links).await.map_err(refused)?;
        links.open().await.map_err(refused)?;
        Ok(Self { links, scripts })
    }

    /// How many connections there should be, and how many of them are open.
    pub fn connections(&self) -> (usize, usize) {
        self.links.count()
    }

    /// Lets go of the connections. What is under way may finish; what comes later is refused.
    pub async fn close(&self) {
        self.links.close();
        // Each connection's task ends, and its socket closes, once the task is scheduled again.
        tokio::task::yield_now().await;
    }
}

impl fmt::Debug for RedisTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTokens").field("address", &self.links.address()).finish_non_exhaustive()
    }
}

/// Reads the URL and says how connections are made.
fn connection_info(url: &SecretString) -> Result<redis::ConnectionInfo, RedisError> {
    let info = url.expose_secret().into_connection_info()?;
    // Only this protocol tells a client that its connection is gone before the next request runs into it.
    let settings = info.redis_settings().clone().set_protocol(redis::ProtocolVersion::RESP3);
    // Requests of many callers share a connection: none may wait for the answer of another (RFC 896). Probes keep an idle
    // connection known to whatever stands between, and find out when the other end has vanished.
    let probes = redis::io::tcp::socket2::TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(5));
    let tcp = info.tcp_settings().clone().set_nodelay(true).set_keepalive(probes);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}
