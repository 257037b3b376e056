//! A secret that is given as it is or as the path of a file.

use crate::ConfigError;
use secrecy::SecretString;
use std::path::PathBuf;

/// Where a secret comes from, resolved.
#[derive(Clone, Debug)]
pub enum Secret {
    /// Neither the value nor a file is configured.
    Absent,
    /// The secret.
    Given(SecretString),
}

impl Secret {
    /// Takes the value, or reads the file; a line break at the file's end is dropped.
    ///
    /// # Errors
    /// [`ConfigError`] if both are given or the file can't be read.
    pub fn resolve(
        key: &str,
        value: Option<&SecretString>,
        file: Option<&PathBuf>,
    ) -> Result<Self, ConfigError> {
        match (value, file) {
            (Some(_), Some(_)) => Err(ConfigError::new(format!(
                "{key}_file: give either {key} or {key}_file, not both"
            ))),
            (Some(value), None) => Ok(Self::Given(value.clone())),
            (None, Some(file)) => match std::fs::read_to_string(file) {
                Ok(text) => Ok(Self::Given(text.trim_end_matches(['\n', '\r']).into())),
                Err(error) => Err(ConfigError::new(format!(
                    "{key}_file: {} can't be read: {error}",
                    file.display()
                ))),
            },
            (None, None) => Ok(Self::Absent),
        }
    }

    /// The secret, if there is one.
    pub fn given(self) -> Option<SecretString> {
        match self {
            Self::Given(secret) => Some(secret),
            Self::Absent => None,
        }
    }

    /// The secret, or a message that says how to give it.
    ///
    /// # Errors
    /// [`ConfigError`] if it is absent.
    pub fn required(self, key: &str) -> Result<SecretString, ConfigError> {
        let variable = format!("REVOLVE__{}", key.to_uppercase().replace('.', "__"));
        match self {
            Self::Given(secret) => Ok(secret),
            Self::Absent => Err(ConfigError::new(format!(
                "{key}: the server profile needs it; set {variable} or {variable}_FILE"
            ))),
        }
    }
}
