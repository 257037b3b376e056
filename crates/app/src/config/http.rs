//! `[http]`: the listeners and what clients may ask of them.

use super::Rule;
use serde::Deserialize;
use std::{net::SocketAddr, time::Duration};

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
    /// After SIGTERM the service is not ready any more and still serves for so long, so that a proxy that asks `/health/ready` sends
    /// its requests elsewhere before the connections close; 0 s. Behind a proxy: the time between two of its checks, times the
    /// failures that it waits for, and a second.
    #[serde(with = "humantime_serde")]
    pub drain_delay: Duration,
    /// How long requests in flight may take after that; 20 s.
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
            drain_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(20),
            max_watchers: 1000,
        }
    }
}

impl Http {
    /// What types alone can't say.
    pub(super) fn rules(&self) -> Vec<Rule> {
        vec![(self.workers != Some(0), "http.workers: must be at least 1")]
    }
}
