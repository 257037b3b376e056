//! Why a TLS handshake failed, and what to do about it.

use rustls::{AlertDescription, CertificateError};
use std::{error::Error, io, sync::Arc};

/// What to do about a failed TLS handshake, if there is one among the error and its sources.
pub(crate) fn advice(error: &(dyn Error + 'static)) -> Option<&'static str> {
    Some(match handshake_error(error)? {
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => {
            "its certificate comes from an authority that is not trusted here; give that authority's certificate as ca_file"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "its certificate is for another host name; use the name that the certificate has in the url, or give the server one for this name"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has expired; renew it (or this machine's clock is wrong)",
        rustls::Error::InvalidCertificate(_) => "its certificate can't be accepted",
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied,
        ) => {
            "it wants a client certificate, or not this one; give the right client_certificate_file and client_key_file"
        }
        rustls::Error::InvalidMessage(_) => {
            "it does not answer in TLS; use its port for TLS, or switch TLS on there"
        }
        _ => "the TLS handshake failed",
    })
}

/// The TLS library's error among an error and its sources, also where a wrapper leaves it out of `source`.
fn handshake_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return handshake_error(shared.as_ref());
    }
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    wrapped
        .and_then(|inner| handshake_error(inner))
        .or_else(|| handshake_error(error.source()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_found_below_other_errors() {
        let error = io::Error::new(
            io::ErrorKind::InvalidData,
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer),
        );
        let shared: Arc<dyn Error + Send + Sync> = Arc::new(error);
        assert!(advice(&shared).expect("advice").contains("ca_file"));
        assert_eq!(advice(&io::Error::from(io::ErrorKind::BrokenPipe)), None);
    }
}
