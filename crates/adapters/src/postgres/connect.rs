//! What a connection needs beside its URL: encryption, options of the server, and a name for errors.

use super::{
    error::PostgresError,
    pooling::{PoolMode, detect},
};
use crate::tls::TlsSettings;
use std::time::Duration;
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{
    Client, Config, Error,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The TLS of the connection, as the URL asks for it.
pub(super) fn connector(
    config: &Config,
    settings: &TlsSettings,
) -> Result<MakeRustlsConnect, String> {
    let encrypted = config.get_ssl_mode() != SslMode::Disable;
    if encrypted {
        return settings
            .client()
            .map(MakeRustlsConnect::new)
            .map_err(|error| error.to_string());
    }
    if settings.authorities.is_some() || settings.identity.is_some() {
        return Err(
            "url: certificates are given, but it is not encrypted: write sslmode=verify-full"
                .to_owned(),
        );
    }
    // It is never used.
    TlsSettings::trusting_nobody()
        .map(MakeRustlsConnect::new)
        .map_err(|error| error.to_string())
}

/// Adds to the `options` that the URL may have.
pub(super) fn add_options(config: &mut Config, options: &str) {
    let all = config
        .get_options()
        .map_or_else(|| options.to_owned(), |given| format!("{given} {options}"));
    config.options(all);
}

/// Host, port and database.
pub(super) fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(i, host)| {
        let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let hosts: Vec<_> = hosts.collect();
    format!(
        "{}/{}",
        hosts.join(","),
        config
            .get_dbname()
            .or(config.get_user())
            .unwrap_or_default()
    )
}

/// A first connection, before it is known what stands on the other side: without options but those of the URL, since a
/// pooler refuses them.
pub(super) struct Probe {
    pub(super) client: Client,
    pub(super) mode: PoolMode,
    driver: JoinHandle<Result<(), Error>>,
}

impl Probe {
    /// Connects within `patience` and finds out the mode, unless `pooler` says it.
    pub(super) async fn connect(
        config: &Config,
        tls: MakeRustlsConnect,
        pooler: Option<bool>,
        patience: Duration,
    ) -> Result<Self, PostgresError> {
        let connected = timeout(patience, config.connect(tls)).await;
        let (client, connection) = connected.map_err(|_| PostgresError::TimedOut)??;
        let driver = tokio::spawn(connection);
        let mode = match pooler {
            Some(true) => PoolMode::Transaction,
            Some(false) => PoolMode::Session,
            None => timeout(patience, detect(&client))
                .await
                .map_err(|_| PostgresError::TimedOut)??,
        };
        if mode == PoolMode::Transaction && config.get_options().is_some() {
            return Err(PostgresError::Options);
        }
        Ok(Self {
            client,
            mode,
            driver,
        })
    }

    /// Closes the connection and waits until it is closed.
    pub(super) async fn close(self) {
        drop(self.client);
        // What failed in it failed for the client, too.
        drop(self.driver.await);
    }

    /// Closes the connection without waiting for answers that are of no use any more.
    pub(super) fn abort(self) {
        self.driver.abort();
    }
}
