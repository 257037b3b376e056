//! `[secrets]`: what everything else is derived from.

use crate::{Config, ConfigError, Hidden, Secret};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
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
    /// Other master keys than the present one, with white space or commas in between; none by default. Stored keys that are sealed and
    /// device credentials that were issued under them count; `revolve keys reseal` seals those keys anew.
    #[schemars(with = "Hidden")]
    pub previous_master_keys: Option<SecretString>,
    /// The same as a file, with one on each line.
    pub previous_master_keys_file: Option<PathBuf>,
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

    /// The other master keys under which something may be sealed or issued, in the order in which they are given.
    ///
    /// # Errors
    /// [`ConfigError`] if their file can't be read.
    pub fn previous_master_keys(&self) -> Result<Vec<SecretString>, ConfigError> {
        let given = Secret::resolve(
            "secrets.previous_master_keys",
            self.secrets.previous_master_keys.as_ref(),
            self.secrets.previous_master_keys_file.as_ref(),
        )?;
        let Secret::Given(text) = given else {
            return Ok(Vec::new());
        };
        let keys = text
            .expose_secret()
            .split(|c: char| c == ',' || c.is_whitespace());
        Ok(keys
            .filter(|key| !key.is_empty())
            .map(SecretString::from)
            .collect())
    }
}
