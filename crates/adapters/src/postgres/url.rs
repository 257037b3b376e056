//! The URL of Postgres, and whether the connection is encrypted. `sslmode` is read here and not by the driver: every encrypted connection
//! is verified, and none falls back to plain text.

use std::{net::IpAddr, str::FromStr};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

/// Why a URL may have no `options` where a pooler stands between.
pub(super) const OPTIONS_OF_A_POOLER: &str = "its parameter options sets what a session keeps, and a pooler gives each transaction another \
    session; leave it out, and set it for the user on the server: ALTER ROLE name SET search_path = schema";

/// Reads the URL. The error never quotes it, password and all.
pub(super) fn read(url: &str) -> Result<Config, String> {
    const FORM: &str = "it is not of the form postgres://user:password@host:port/database";
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(FORM.to_owned());
    }
    let (url, mode) = without_mode(url);
    let mut config = Config::from_str(&url)
        .map_err(|_| wrong_parameter(&url).unwrap_or_else(|| FORM.to_owned()))?;
    if config.get_hosts().is_empty() {
        return Err(FORM.to_owned());
    }
    config.ssl_mode(match mode {
        Some("disable") => SslMode::Disable,
        Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
        Some("allow" | "prefer") => {
            return Err("its sslmode would go on in plain text where TLS fails; write verify-full, or disable".to_owned());
        }
        Some(_) => return Err("its sslmode is none of verify-full, require, disable".to_owned()),
        None if stays_here(&config) => SslMode::Disable,
        None => SslMode::Require,
    });
    Ok(config)
}

/// Whether the connection does not leave the machine.
pub(super) fn stays_here(config: &Config) -> bool {
    config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

/// Whether the host is this machine.
pub(super) fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
    }
}

/// What to say of a parameter that the driver does not take, if that is what is wrong with the URL.
fn wrong_parameter(url: &str) -> Option<String> {
    let query = &url[query(url)? + 1..];
    // It could be the rest of a password.
    if query.contains('@') {
        return None;
    }
    let wrong = query.split('&').find(|pair| {
        Config::from_str(&format!("postgres://host?{pair}")).is_err() && !pair.is_empty()
    })?;
    let name = wrong.split('=').next().unwrap_or(wrong);
    let instead = match name {
        "ssl" | "tls" => "write sslmode=verify-full or sslmode=disable",
        "sslrootcert" => "set postgres.ca_file",
        "sslcert" => "set postgres.client_certificate_file",
        "sslkey" => "set postgres.client_key_file",
        "sslpassword" => "give the key without a password in postgres.client_key_file",
        "schema" | "currentSchema" | "search_path" => "write options=-csearch_path%3DNAME",
        "statement_timeout" | "lock_timeout" | "socket_timeout" | "pool_timeout" => {
            "set postgres.timeout"
        }
        "connection_limit" | "pool_size" | "max_connections" | "pool_max_conns" => {
            "set postgres.pool_size"
        }
        _ if Config::from_str(&format!("postgres://host?{name}=1")).is_ok() => {
            return Some(format!(
                "its parameter {name} has a value that it can't have"
            ));
        }
        // Names that other clients know. Any other could be a secret in the wrong place.
        "binary_parameters"
        | "channel_binding"
        | "client_encoding"
        | "default_query_exec_mode"
        | "fallback_application_name"
        | "gssencmode"
        | "krbsrvname"
        | "passfile"
        | "pgbouncer"
        | "pool_mode"
        | "prepareThreshold"
        | "replication"
        | "requirepeer"
        | "service"
        | "sslaccept"
        | "sslcompression"
        | "sslcrl"
        | "sslidentity"
        | "statement_cache_size"
        | "timezone" => "leave it out",
        _ => return Some("one of its parameters is not known here; leave it out".to_owned()),
    };
    Some(format!("its parameter {name} is not known here; {instead}"))
}

/// Where the question mark before the parameters is.
fn query(url: &str) -> Option<usize> {
    // A password may have a question mark in it. The authority ends at the first slash after the scheme.
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..]
        .find('/')
        .map_or(url.len(), |at| authority + at);
    let hosts = url[..end].rfind('@').unwrap_or(0);
    url[hosts..].find('?').map(|at| hosts + at)
}

/// Takes `sslmode` out of the URL: the driver knows fewer of them than people write.
fn without_mode(url: &str) -> (String, Option<&str>) {
    let Some(start) = query(url) else {
        return (url.to_owned(), None);
    };
    let mut mode = None;
    let rest: Vec<_> = url[start + 1..]
        .split('&')
        .filter(|pair| match pair.strip_prefix("sslmode=") {
            Some(found) => {
                mode = Some(found);
                false
            }
            None => true,
        })
        .collect();
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("?{}", rest.join("&"))
    };
    (format!("{}{rest}", &url[..start]), mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Result<SslMode, String> {
        read(url).map(|config| config.get_ssl_mode())
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_the_url_says_otherwise() {
        for here in [
            "localhost",
            "127.0.0.1:5433",
            "[::1]",
            "%2Frun%2Fpostgresql",
        ] {
            assert_eq!(
                mode(&format!("postgres://ann:pw@{here}/db")),
                Ok(SslMode::Disable),
                "{here}"
            );
        }
        for there in ["db", "10.0.0.1", "localhost,db", "localhost.example.org"] {
            assert_eq!(
                mode(&format!("postgres://ann:pw@{there}/db")),
                Ok(SslMode::Require),
                "{there}"
            );
            assert_eq!(
                mode(&format!("postgres://ann:pw@{there}/db?sslmode=disable")),
                Ok(SslMode::Disable),
                "{there}"
            );
        }
        assert_eq!(
            mode("postgres://ann:pw@localhost/db?hostaddr=10.0.0.1"),
            Ok(SslMode::Require)
        );
        assert_eq!(
            mode("postgres://localhost/db?sslmode=require&application_name=a@b"),
            Ok(SslMode::Require),
            "no password, but an @"
        );
        assert_eq!(
            mode("postgresql://ann:p%3Fw@localhost/db?application_name=x&sslmode=verify-full"),
            Ok(SslMode::Require)
        );
    }

    #[test]
    fn nothing_falls_back_to_plain_text_by_itself() {
        for mode in ["prefer", "allow"] {
            let error = read(&format!("postgres://ann:hunter2@db/db?sslmode={mode}"))
                .expect_err("it is refused");
            assert!(
                error.contains("verify-full") && !error.contains("hunter2"),
                "{error}"
            );
        }
        assert!(read("postgres://ann:hunter2@db/db?sslmode=on").is_err());
    }

    #[test]
    fn a_parameter_that_is_not_known_is_named_with_what_to_use_instead() {
        for (parameter, words) in [
            ("sslrootcert=/etc/ca.pem", "postgres.ca_file"),
            ("sslcert=/etc/c.pem", "postgres.client_certificate_file"),
            ("sslkey=/etc/k.pem", "postgres.client_key_file"),
            ("schema=public", "options=-csearch_path%3DNAME"),
            ("connection_limit=5", "postgres.pool_size"),
            ("pgbouncer=true", "parameter pgbouncer is not known"),
            ("connect_timeout=soon", "connect_timeout has a value"),
        ] {
            for before in ["", "sslmode=require&", "application_name=x&"] {
                let url = format!("postgres://ann:hunter2@db/db?{before}{parameter}");
                let error = read(&url).expect_err("it is refused");
                assert!(
                    error.contains(words) && !error.contains("hunter2"),
                    "{url}: {error}"
                );
            }
        }
        for secret in [
            "postgres://ann:hun/ter?2@db/db",
            "postgres://ann:hunter?2@db/db",
        ] {
            assert!(read(secret).is_ok(), "a password may have both in it");
        }
    }

    #[test]
    fn the_rest_of_the_url_stays() {
        let config =
            read("postgres://ann:pw@one:1,two:2/db?sslmode=require&options=-csearch_path%3Dx")
                .expect("a URL");
        assert_eq!(
            (config.get_hosts().len(), config.get_ports()),
            (2, &[1, 2][..])
        );
        assert_eq!(config.get_options(), Some("-csearch_path=x"));
        assert!(read("host=db user=ann").is_err());
    }
}
