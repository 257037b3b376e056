//! `[secrets]`: what everything else is derived from.

use crate::{Config, ConfigError, Hidden, Secret};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::path::PathBuf;

/// `[secrets]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// 32 random bytes in base64url. Stored keys are sealed under it, and the key for device credentials and the first one
    /// for refresh tokens are derived from it.
    #[schemars(with = "Hidden")]
    pub master_key: Option<SecretString>,
    /// The same as a file.
    pub master_key_file: Option<PathBuf>,
}

impl Config {
    /// The master key, if one is given.
    ///
    /// # Errors
    /// [`ConfigError`] if its file can't be read.
    pub fn master_key(&self) -> Result<Secret, ConfigError> {
        Secret::resolve(
            "secrets.master_key",
            self.secrets.master_key.as_ref(),
            self.secrets.master_key_file.as_ref(),
        )
    }
}
