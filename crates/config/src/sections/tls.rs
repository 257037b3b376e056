//! `[http.tls]`: TLS without a proxy.

use super::Rule;
use crate::Human;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[http.tls]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those that lead to a known authority, in PEM, the service's own first; none by default, then the
    /// listener speaks plain HTTP. With a certificate it speaks TLS 1.2 and 1.3 and nothing else, HTTP/1.1, and cookies are
    /// marked Secure.
    pub certificate_file: Option<PathBuf>,
    /// The certificate's private key in PEM (PKCS #8, SEC1 or PKCS #1), readable by the service's user only.
    pub private_key_file: Option<PathBuf>,
    /// How often to check whether the files have changed, at least 1 s; 10 s. A new certificate counts for new connections; one that
    /// can't be used is logged and the old one stays.
    #[serde(with = "Human")]
    pub reload_interval: Duration,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate_file: None,
            private_key_file: None,
            reload_interval: Duration::from_secs(10),
        }
    }
}

impl Tls {
    /// Whether the listener speaks TLS.
    pub fn is_on(&self) -> bool {
        self.certificate_file.is_some()
    }

    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![
            (
                self.certificate_file.is_some() == self.private_key_file.is_some(),
                "http.tls: certificate_file and private_key_file are needed together",
            ),
            (
                self.reload_interval >= Duration::from_secs(1),
                "http.tls.reload_interval: must be at least 1 s",
            ),
        ]
    }
}
