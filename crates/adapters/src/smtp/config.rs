//! How the mail server is reached, and the form of its URL.

use crate::tls::{TlsError, TlsSettings};
use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use std::{net::IpAddr, time::Duration};
use url::{Host, Url};

/// How the mail server is reached.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// `smtps://user:password@host:465` for TLS from the first byte, `smtp://user:password@host:587` for STARTTLS; the latter with
    /// `?tls=opportunistic` or `?tls=off` for servers without.
    pub url: SecretString,
    /// Trusted authorities. A client certificate is not sent.
    pub tls: TlsSettings,
    /// The deadline of each mail, connecting included.
    pub timeout: Duration,
}

/// The settings can't be used. The message begins with the key that is wrong, and quotes no value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SmtpConfigError(#[from] pub(super) ConfigFault);

#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigFault {
    #[error(
        "url: it is not of the form smtps://user:password@host:465 or smtp://user:password@host:587; in user and password, write what is no \
         letter and no digit as %XX"
    )]
    Form,
    #[error(
        "url: its only parameter is `tls`, one of required, opportunistic and off, for smtp://"
    )]
    Parameter,
    #[error("url: user and password go together")]
    Credentials,
    #[error(
        "url: with `tls=off` the password could be read on its way; leave out `tls=off`, or the password"
    )]
    PlainPassword,
    #[error("{0}")]
    Tls(#[source] TlsError),
    #[error("ca_file: it can't be used")]
    Unusable(#[source] lettre::transport::smtp::Error),
    #[error("ca_file: it is for encrypted connections only; leave it out, or `tls=off`")]
    NotEncrypted,
}

/// When a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// From the first byte.
    Wrapped,
    /// After STARTTLS, or there is none.
    Required,
    /// After STARTTLS, if the server offers it.
    Opportunistic,
    /// Never.
    Off,
}

/// What the URL says.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    pub(super) credentials: Option<Credentials>,
    /// The server is on this machine.
    pub(super) is_local: bool,
}

impl SmtpConfig {
    pub(super) fn target(&self) -> Result<Target, ConfigFault> {
        let url = Url::parse(self.url.expose_secret()).map_err(|_| ConfigFault::Form)?;
        let host = url.host().ok_or(ConfigFault::Form)?;
        let is_plain_host = matches!(url.path(), "" | "/") && url.fragment().is_none();
        let wrapped = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(ConfigFault::Form),
        };
        if !is_plain_host || host.to_string().is_empty() {
            return Err(ConfigFault::Form);
        }
        let target = Target {
            is_local: is_local(&host),
            host: bare(&host),
            port: url.port().unwrap_or(if wrapped { 465 } else { 587 }),
            encryption: encryption(&url, wrapped)?,
            credentials: credentials(&url)?,
        };
        if target.encryption == Encryption::Off {
            if target.credentials.is_some() && !target.is_local {
                return Err(ConfigFault::PlainPassword);
            }
            if self.tls.authorities.is_some() {
                return Err(ConfigFault::NotEncrypted);
            }
        }
        Ok(target)
    }
}

fn encryption(url: &Url, wrapped: bool) -> Result<Encryption, ConfigFault> {
    let mut encryption = if wrapped {
        Encryption::Wrapped
    } else {
        Encryption::Required
    };
    for (name, value) in url.query_pairs() {
        encryption = match (&*name, &*value) {
            ("tls", "required") => encryption,
            ("tls", "opportunistic") if !wrapped => Encryption::Opportunistic,
            ("tls", "off") if !wrapped => Encryption::Off,
            _ => return Err(ConfigFault::Parameter),
        };
    }
    Ok(encryption)
}

fn credentials(url: &Url) -> Result<Option<Credentials>, ConfigFault> {
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8();
        let text = text.map_err(|_| ConfigFault::Form)?;
        Ok(text.into_owned())
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(ConfigFault::Credentials),
        (user, Some(password)) => Ok(Some(Credentials::new(decoded(user)?, decoded(password)?))),
    }
}

fn is_local(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            *name == "localhost"
                || name
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Without the brackets of an IPv6 address.
fn bare(host: &Host<&str>) -> String {
    match host {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, ConfigFault> {
        let config = SmtpConfig {
            url: url.to_owned().into(),
            tls: TlsSettings::default(),
            timeout: Duration::from_secs(1),
        };
        config.target()
    }

    #[test]
    fn the_scheme_says_how_it_is_encrypted() {
        for (url, host, port, encryption) in [
            (
                "smtps://mail.example.org",
                "mail.example.org",
                465,
                Encryption::Wrapped,
            ),
            (
                "smtps://mail.example.org:2465",
                "mail.example.org",
                2465,
                Encryption::Wrapped,
            ),
            (
                "smtp://mail.example.org",
                "mail.example.org",
                587,
                Encryption::Required,
            ),
            (
                "smtp://[::1]:25?tls=required",
                "::1",
                25,
                Encryption::Required,
            ),
            (
                "smtp://127.0.0.1:25/?tls=off",
                "127.0.0.1",
                25,
                Encryption::Off,
            ),
            (
                "smtp://relay:25?tls=opportunistic",
                "relay",
                25,
                Encryption::Opportunistic,
            ),
        ] {
            let target = target(url).unwrap();
            assert_eq!(
                (target.host.as_str(), target.port, target.encryption),
                (host, port, encryption),
                "{url}"
            );
            assert!(target.credentials.is_none());
        }
    }

    #[test]
    fn user_and_password_may_have_any_character() {
        let target = target("smtps://ann%40example.org:p%2Fw%3Ad%25@host").unwrap();
        let expected = Credentials::new("ann@example.org".to_owned(), "p/w:d%".to_owned());
        assert!(target.credentials == Some(expected));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, words) in [
            ("hunter2", "not of the form"),
            ("http://ann:hunter2@host", "not of the form"),
            ("smtps://ann:hunter2@", "not of the form"),
            ("smtps://ann:hunter2@host/path", "not of the form"),
            ("smtps://ann:hunter2@host?tls=off", "its only parameter"),
            ("smtp://ann:hunter2@host?tls=hunter2", "its only parameter"),
            ("smtp://ann:hunter2@host?hunter2=1", "its only parameter"),
            ("smtp://hunter2@host", "go together"),
            ("smtp://:hunter2@host", "go together"),
            ("smtp://ann:hunter2@host?tls=off", "could be read"),
        ] {
            let error = target(url).err().unwrap().to_string();
            assert!(
                error.contains(words) && !error.contains("hunter2"),
                "{url}: {error}"
            );
        }
        assert!(target("smtp://ann:hunter2@127.0.0.1?tls=off").is_ok());
        assert!(target("smtp://ann:hunter2@localhost?tls=off").is_ok());
    }
}
