//! The URL of Redis: one host, or several separated by commas for Sentinels and clusters.

use super::config::RedisConfig;
use crate::tls::{TlsError, TlsSettings};
use deadpool_redis::redis::{
    self, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, TlsCertificates,
    io::tcp::socket2::TcpKeepalive,
};
use secrecy::ExposeSecret;
use std::time::Duration;

/// The URL or the TLS settings can't be used. Each message begins with the key that is wrong, and quotes no value.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("url: it is not of the form redis://[:password@]host:port/[db]")]
    Form { source: RedisError },
    #[error("url: {name} is not known here; {instead}")]
    Parameter { name: String, instead: &'static str },
    #[error("url: several hosts need redis.mode to be \"sentinel\" or \"cluster\"")]
    SeveralHosts,
    #[error("url: the server's certificate is always verified; drop `#insecure`")]
    Unverified,
    #[error("url: certificates are given, but it is not encrypted; write rediss://")]
    NotEncrypted,
    #[error("{0}")]
    Tls(#[source] TlsError),
    #[error("client_certificate_file: it can't be used")]
    Certificates { source: RedisError },
}

/// The connection settings of each host of the URL. At least one.
pub(crate) fn hosts(config: &RedisConfig) -> Result<Vec<ConnectionInfo>, UrlError> {
    let url = config.url.expose_secret();
    if let Some(error) = wrong_parameter(url) {
        return Err(error);
    }
    let hosts = split(url);
    let read = |url: String| {
        url.into_connection_info()
            .map_err(|source| UrlError::Form { source })
    };
    hosts
        .into_iter()
        .map(|url| read(url).and_then(|info| with_protocol_and_probes(info, &config.tls)))
        .collect()
}

/// A parameter that means something to other clients: this one would drop it without a word.
fn wrong_parameter(url: &str) -> Option<UrlError> {
    let query = url.split_once('#').map_or(url, |(url, _)| url);
    // One before an `@` is in a password.
    let (_, query) = query[query.rfind('@').unwrap_or(0)..].split_once('?')?;
    let name = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .find(|name| !matches!(*name, "" | "protocol"))?;
    let instead = match name {
        "db" | "database" => "write the database as the path: redis://host:port/1",
        "user" | "username" | "password" => "write redis://user:password@host:port/",
        "ssl" | "tls" => "write rediss:// for an encrypted connection",
        "ssl_ca_certs" | "cacert" | "ca" | "sslrootcert" => "set redis.ca_file",
        "ssl_certfile" | "cert" => "set redis.client_certificate_file",
        "ssl_keyfile" | "key" => "set redis.client_key_file",
        "ssl_cert_reqs" | "skip_verify" | "verify" => {
            "leave it out: the server's certificate is always verified"
        }
        "timeout" | "socket_timeout" | "dial_timeout" | "read_timeout" | "write_timeout" => {
            "set redis.timeout"
        }
        "max_connections" | "pool_size" => "set redis.connections",
        // It could be a secret in the wrong place.
        _ => {
            return Some(UrlError::Parameter {
                name: "one of its parameters".to_owned(),
                instead: "leave it out",
            });
        }
    };
    Some(UrlError::Parameter {
        name: format!("its parameter {name}"),
        instead,
    })
}

/// The settings of a URL that may have one host only.
pub(crate) fn single_host(config: &RedisConfig) -> Result<ConnectionInfo, UrlError> {
    let mut hosts = hosts(config)?;
    match hosts.pop() {
        Some(info) if hosts.is_empty() => Ok(info),
        _ => Err(UrlError::SeveralHosts),
    }
}

/// The same settings with another address.
pub(crate) fn with_address(info: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let mut address = info.addr().clone();
    match &mut address {
        ConnectionAddr::Tcp(to, at)
        | ConnectionAddr::TcpTls {
            host: to, port: at, ..
        } => {
            host.clone_into(to);
            *at = port;
        }
        _ => address = ConnectionAddr::Tcp(host.to_owned(), port),
    }
    info.clone().set_addr(address)
}

pub(crate) fn host_and_port(info: &ConnectionInfo) -> Option<(&str, u16)> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Some((host, *port))
        }
        _ => None,
    }
}

/// One URL for each host.
fn split(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (credentials, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    hosts
        .split(',')
        .map(|host| format!("{scheme}://{credentials}{}{path}", host.trim()))
        .collect()
}

fn with_protocol_and_probes(
    info: ConnectionInfo,
    tls: &TlsSettings,
) -> Result<ConnectionInfo, UrlError> {
    // Only RESP3 lets the client report the end of an idle connection before the next request fails on it.
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(redis::ProtocolVersion::RESP3);
    // Requests of many callers share a connection: none may wait for the answer of another (RFC 896). Probes keep firewalls from
    // dropping an idle connection, and detect that the other end is gone.
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(5));
    let tcp = info
        .tcp_settings()
        .clone()
        .set_nodelay(true)
        .set_keepalive(probes);
    with_certificates(info.set_redis_settings(settings).set_tcp_settings(tcp), tls)
}

fn with_certificates(info: ConnectionInfo, tls: &TlsSettings) -> Result<ConnectionInfo, UrlError> {
    match info.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => Err(UrlError::Unverified),
        ConnectionAddr::TcpTls { .. } => {
            tls.client().map_err(UrlError::Tls)?;
            let certificates = TlsCertificates {
                client_tls: tls
                    .identity
                    .as_ref()
                    .map(|identity| redis::ClientTlsConfig {
                        client_cert: identity.certificates.clone().into_bytes(),
                        client_key: identity.key.expose_secret().as_bytes().to_vec(),
                    }),
                root_cert: tls.authorities.clone().map(String::into_bytes),
            };
            let client = Client::build_with_tls(info, certificates)
                .map_err(|source| UrlError::Certificates { source })?;
            Ok(client.get_connection_info().clone())
        }
        _ if tls.authorities.is_some() || tls.identity.is_some() => Err(UrlError::NotEncrypted),
        _ => Ok(info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infos(url: &str, tls: TlsSettings) -> Result<Vec<ConnectionInfo>, UrlError> {
        hosts(&RedisConfig {
            tls,
            ..RedisConfig::new(url.to_owned().into())
        })
    }

    #[test]
    fn several_hosts_share_credentials_and_database() {
        let infos = infos(
            "redis://ann:p%2Cw@one:7001,two:7002,[::1]:7003/3",
            TlsSettings::default(),
        )
        .expect("a URL");
        let addresses: Vec<_> = infos.iter().filter_map(host_and_port).collect();
        assert_eq!(addresses, [("one", 7001), ("two", 7002), ("::1", 7003)]);
        for info in &infos {
            let settings = info.redis_settings();
            assert_eq!(
                (settings.username(), settings.password(), settings.db()),
                (Some("ann"), Some("p,w"), 3)
            );
        }
    }

    #[test]
    fn a_parameter_that_would_be_dropped_is_named_with_what_to_use_instead() {
        for (url, words) in [
            ("redis://host?db=3", "write the database as the path"),
            (
                "redis://:pw@host:6379/?ssl_ca_certs=/ca.pem",
                "redis.ca_file",
            ),
            ("rediss://host/0?ssl_cert_reqs=none", "always verified"),
            (
                "redis://host/0?protocol=resp3&max_connections=9",
                "redis.connections",
            ),
            (
                "redis://host/0?x=1#y",
                "one of its parameters is not known here",
            ),
        ] {
            let error = infos(url, TlsSettings::default()).expect_err("it is refused");
            assert!(error.to_string().contains(words), "{url}: {error}");
        }
        let password = infos("redis://:hunter%3F2?x@host/", TlsSettings::default());
        assert!(!password.is_err_and(|error| error.to_string().contains("parameter")));
        assert!(infos("redis://host/0?protocol=resp3", TlsSettings::default()).is_ok());
    }

    #[test]
    fn one_host_needs_no_comma() {
        let infos = infos("redis://localhost", TlsSettings::default()).expect("a URL");
        assert_eq!(
            infos.iter().filter_map(host_and_port).collect::<Vec<_>>(),
            [("localhost", 6379)]
        );
        assert_eq!(
            host_and_port(&with_address(&infos[0], "other", 1)),
            Some(("other", 1))
        );
    }

    #[test]
    fn nothing_is_left_unverified_or_unencrypted_by_mistake() {
        let error = infos("rediss://localhost/#insecure", TlsSettings::default())
            .expect_err("it is refused");
        assert!(error.to_string().contains("#insecure"), "{error}");
        let given = TlsSettings {
            authorities: Some("any".to_owned()),
            identity: None,
        };
        let error = infos("redis://localhost", given).expect_err("it is refused");
        assert!(error.to_string().contains("rediss://"), "{error}");
    }
}
