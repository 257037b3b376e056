//! `[import]`: the system that accounts came from, where it gave no hashes away.

use super::Rule;
use crate::{Config, ConfigError, Hidden, Human, Secret};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[import]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Import {
    /// A URL of yours that says whether a password is right, such as `https://old.example.org/verify`; none by default. It is asked at the
    /// sign-in of an account that was imported with `--verifier`, until it has said yes once. It is https, or http on this machine; a user
    /// and password in it are sent as Basic authentication. See docs/import.md.
    #[schemars(with = "Hidden")]
    pub verifier: Option<SecretString>,
    /// The same as a file.
    pub verifier_file: Option<PathBuf>,
    /// Certificates in PEM of the authorities that its certificate may come from; those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Longest time for its answer, connecting included, 100 ms to 1 min, less than `http.request_timeout`; 5 s.
    #[serde(with = "Human")]
    pub timeout: Duration,
}

impl Default for Import {
    fn default() -> Self {
        Self {
            verifier: None,
            verifier_file: None,
            ca_file: None,
            timeout: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// The URL of the former system, if there is one.
    ///
    /// # Errors
    /// [`ConfigError`] if its file can't be read.
    pub fn verifier(&self) -> Result<Secret, ConfigError> {
        let Import {
            verifier,
            verifier_file,
            ..
        } = &self.import;
        Secret::resolve("import.verifier", verifier.as_ref(), verifier_file.as_ref())
    }

    /// What types alone can't say of `[import]`.
    pub(crate) fn import_rules(&self) -> Vec<Rule> {
        let import = &self.import;
        let (least, longest) = (Duration::from_millis(100), Duration::from_mins(1));
        let is_asked = import.verifier.is_some() || import.verifier_file.is_some();
        vec![
            (
                (least..=longest).contains(&import.timeout),
                "import.timeout: must be from 100 ms to 1 min",
            ),
            (
                !is_asked || import.timeout < self.http.request_timeout,
                "import.timeout: must be less than http.request_timeout, or sign-ins end before there is an answer",
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_before_the_end_of_the_request() {
        let broken = |text: &str| Config::from_toml(text).unwrap_err().to_string();
        let url = "[import]\nverifier = 'https://ann:hunter2@old.example.org'\n";
        let said = broken(&format!("{url}timeout = '10s'\n"));
        assert!(
            said.contains("http.request_timeout") && !said.contains("hunter2"),
            "{said}"
        );
        assert!(broken("[import]\ntimeout = '10ms'\n").contains("import.timeout"));
        assert!(Config::from_toml("[import]\ntimeout = '10s'\n").is_ok());
        let config = Config::from_toml(url).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(config.verifier().unwrap().given().is_some());
    }
}
