//! Where Postgres is and how it is used.

use super::{connect::connector, url};
use crate::tls::TlsSettings;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Where Postgres is and how long to wait for it.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database`, with several hosts with commas in between: the one that takes writes is used.
    ///
    /// With `sslmode=verify-full` the connection is encrypted, and the server's certificate has to come from a trusted authority and be
    /// for the host's name; `require` and `verify-ca` mean the same here. `disable` is plain text. Without `sslmode`, what stays on the
    /// machine (loopback, Unix socket) is plain text, and everything else as with `verify-full`. `prefer` and `allow` are refused.
    pub url: SecretString,
    /// Trusted authorities and our own certificate, where the connection is encrypted.
    pub tls: TlsSettings,
    /// Connections at most; at least 1.
    pub pool_size: usize,
    /// So many of them, at most half, are shared by the short reads of all requests, one per thread: as many as threads that serve, and
    /// one for background work, are best. With 0, and behind a pooler, each read has a connection of its own.
    pub shared: usize,
    /// Whether a pooler stands between that gives each transaction any of its sessions; found out if it is not given.
    pub pooler: Option<bool>,
    /// The longest time that one call of a port takes, waiting for a connection included. The server gives up on a
    /// statement, or on a transaction that is left open, after the same time.
    pub timeout: Duration,
}

impl PostgresConfig {
    /// With 16 connections, 2 of them shared, and a time-out of 1 s.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            tls: TlsSettings::default(),
            pool_size: 16,
            shared: 2,
            pooler: None,
            timeout: Duration::from_secs(1),
        }
    }

    /// What is wrong with the URL or the certificates, to be reported before anything is started. It begins with the key and a colon.
    pub fn mistake(&self) -> Option<String> {
        let config = match url::read(self.url.expose_secret()) {
            Ok(config) => config,
            Err(mistake) => return Some(format!("url: {mistake}")),
        };
        if self.pooler == Some(true) && config.get_options().is_some() {
            return Some(format!("url: {}", url::OPTIONS_OF_A_POOLER));
        }
        connector(&config, &self.tls).err()
    }
}
