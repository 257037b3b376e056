//! How the addresses of a name are found.

use async_trait::async_trait;
use std::{io, net::SocketAddr};
use tokio::net::lookup_host;

/// Finds addresses. It is asked once for each request; what it answers is checked, and nothing else is connected to.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The addresses that a name has now, each with this port.
    ///
    /// # Errors
    /// If it has none, or that can't be found out.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// Asks the system: its file of hosts, and DNS.
pub(super) struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((name, port)).await?.collect())
    }
}
