//! TLS to the stores. Verification can't be turned off: a server's certificate has to be issued by a trusted authority for the host name in
//! the URL.

#[cfg(any(feature = "postgres", feature = "redis", feature = "smtp"))]
mod advice;

use crate::pem::{self, PemFault};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

#[cfg(any(feature = "postgres", feature = "redis", feature = "smtp"))]
pub(crate) use advice::advice;

/// Trusted authorities and client certificate, in PEM (RFC 7468).
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// Certificates of the trusted authorities, instead of the system's.
    pub authorities: Option<String>,
    /// For servers that ask for a client certificate.
    pub identity: Option<TlsIdentity>,
}

/// A client's certificate.
#[derive(Clone, Debug)]
pub struct TlsIdentity {
    /// The client's certificate, then the intermediate ones.
    pub certificates: String,
    /// The certificate's key: PKCS#8, PKCS#1 or SEC1.
    pub key: SecretString,
}

/// The settings can't be used. Each message begins with the key that is wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error(
        "ca_file: this system trusts no certificate authority; give one, or install the package ca-certificates"
    )]
    NoAuthorities,
    #[error("ca_file: no certificate can be read from it; it should be PEM")]
    Authorities,
    #[error("client_certificate_file: no certificate can be read from it; it should be PEM")]
    Certificates,
    #[error("client_key_file: {0}")]
    Key(PemFault),
    #[error("client_key_file: no private key can be read from it")]
    KeyForm,
    #[error("client_key_file: it is not the key of client_certificate_file")]
    Pair { source: rustls::Error },
    #[error("url: the process's provider of cryptography is of no use for TLS")]
    Provider { source: rustls::Error },
}

/// The provider of algorithms. It becomes the process's default, which other libraries use, unless there is one already.
fn provider() -> Arc<CryptoProvider> {
    if CryptoProvider::get_default().is_none() {
        // Fails if another thread was faster, which is as good.
        drop(aws_lc_rs::default_provider().install_default());
    }
    CryptoProvider::get_default()
        .map_or_else(|| Arc::new(aws_lc_rs::default_provider()), Arc::clone)
}

impl TlsSettings {
    /// The settings for rustls.
    pub(crate) fn client(&self) -> Result<ClientConfig, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Provider { source })?;
        let builder = builder.with_root_certificates(self.roots()?);
        let Some(identity) = &self.identity else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(&identity.certificates).ok_or(TlsError::Certificates)?;
        let key = pem::private_key(identity.key.expose_secret()).map_err(TlsError::Key)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsError::KeyForm)?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|source| TlsError::Pair { source })
    }

    /// Trusts no server: for connections that need a configuration and do not use TLS.
    #[cfg(any(feature = "legacy", feature = "postgres"))]
    pub(crate) fn trusting_nobody() -> Result<ClientConfig, TlsError> {
        let builder =
            ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|source| TlsError::Provider { source })?;
        Ok(builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth())
    }

    /// The certificates of the trusted authorities. At least one.
    #[cfg(feature = "smtp")]
    pub(crate) fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        provider();
        self.roots()?;
        Ok(match &self.authorities {
            Some(pem) => certificates(pem).ok_or(TlsError::Authorities)?,
            None => rustls_native_certs::load_native_certs()
                .certs
                .into_iter()
                .filter(|authority| RootCertStore::empty().add(authority.clone()).is_ok())
                .collect(),
        })
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(pem) = &self.authorities {
            for authority in certificates(pem).ok_or(TlsError::Authorities)? {
                roots.add(authority).map_err(|_| TlsError::Authorities)?;
            }
        } else {
            // Unreadable files are skipped while there are others.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsError::NoAuthorities);
            }
        }
        Ok(roots)
    }
}

/// `None` unless there is at least one.
fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .ok()?;
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said_to_be_none() {
        let settings = TlsSettings {
            authorities: Some("nonsense".to_owned()),
            identity: None,
        };
        assert!(matches!(settings.client(), Err(TlsError::Authorities)));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            TlsSettings {
                authorities: Some(broken.to_owned()),
                identity: None
            }
            .client(),
            Err(TlsError::Authorities)
        ));
    }
}
