//! What a connection needs beside its URL: encryption, options of the server, and a name for errors.

use crate::tls::TlsSettings;
use tokio_postgres::{
    Config,
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
