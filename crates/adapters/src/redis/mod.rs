//! The white list in Redis 7: one hash per live session, one index per user, one Lua script per intent. What decides on a
//! rotation lives in `lua/`; nothing in here knows SQL, tokens' signatures or HTTP, and no type of the Redis client leaves it.
//!
//! - `limits`: buckets for limits, beside the white list
//! - `client`: the way to the data
//! - `scripts`, `keys`, `reply`: the words of the conversation
//! - `inspect`: a look that changes nothing, for `revolve doctor`

mod client;
mod inspect;
mod keys;
mod limits;
mod reply;
mod scripts;
mod tokens;

pub use client::config::{RedisConfig, RedisMode, SentinelConfig};
use client::{failure::Failure, pool::Node, server_info, topology::Links};
use deadpool_redis::redis;
pub use inspect::{Looked, RedisFacts, inspect, plain_hosts};
pub use limits::{BucketNames, RedisLimits};
use revolve_domain::ports::StoreError;
use scripts::Scripts;
use std::{fmt, sync::Arc};

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
        let links =
            Arc::new(Links::new(&config).map_err(|source| refused(Failure::Url { source }))?);
        let scripts = Scripts::new();
        let (servers, one_may_be_missing) = links.servers().await.map_err(refused)?;
        let (mut fit, mut missing) = (0, None);
        for server in &servers {
            match prepare(server, &scripts, one_may_be_missing).await {
                Ok(()) => fit += 1,
                Err(failure) if one_may_be_missing && failure.passes() => {
                    tracing::warn!(redis = %server.address(), error = &failure as &dyn std::error::Error, "a master is missing");
                    missing = Some(failure);
                }
                Err(failure) => return Err(refused(failure)),
            }
        }
        match missing {
            Some(failure) if fit == 0 => Err(refused(failure)),
            _ => Ok(Self { links, scripts }),
        }
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
        f.debug_struct("RedisTokens")
            .field("address", &self.links.address())
            .finish_non_exhaustive()
    }
}

/// Makes sure that a server will do, and loads the scripts. Each thread dials its own connection when it first needs one.
async fn prepare(server: &Node, scripts: &Scripts, cluster: bool) -> Result<(), Failure> {
    let info: String = server.command(&redis::cmd("INFO")).await?;
    server_info::check(&info, cluster).map_err(|unfit| Failure::Unfit {
        address: server.address(),
        source: unfit,
    })?;
    for warning in server_info::warnings(&info) {
        tracing::warn!(redis = %server.address(), "{warning}");
    }
    scripts.load(server).await
}
