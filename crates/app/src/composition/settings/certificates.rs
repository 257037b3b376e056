//! The certificates that a section names by files.

use crate::config::ConfigError;
use revolve_adapters::tls::{TlsIdentity, TlsSettings};
use std::path::Path;

/// Reads the files. What is in them is for the store's adapter to judge.
///
/// # Errors
/// [`ConfigError`] that names the key and the file that can't be read.
pub(super) fn read(
    section: &str,
    authorities: Option<&Path>,
    certificate: Option<&Path>,
    key: Option<&Path>,
) -> Result<TlsSettings, ConfigError> {
    let text = |name: &str, file: &Path| {
        std::fs::read_to_string(file).map_err(|error| {
            ConfigError::new(format!(
                "{section}.{name}: {} can't be read: {error}",
                file.display()
            ))
        })
    };
    let authorities = authorities.map(|file| text("ca_file", file)).transpose()?;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsIdentity {
            certificates: text("client_certificate_file", certificate)?,
            key: text("client_key_file", key)?.into(),
        }),
        _ => None,
    };
    Ok(TlsSettings {
        authorities,
        identity,
    })
}
