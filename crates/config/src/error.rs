//! What is wrong with the configuration, one line for each mistake: where, which key, what, and what to do. Never a value:
//! it may be a secret in the wrong place.

use serde::Serialize;
use std::{fmt, path::PathBuf};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Origin {
    /// It is built in.
    Default,
    /// A file.
    File {
        /// As it was found from the working directory.
        file: PathBuf,
        /// From 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment {
        /// The variable's name.
        variable: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Environment { variable } => f.write_str(variable),
        }
    }
}

/// A mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Where it is, if it is anywhere.
    #[serde(rename = "source")]
    pub origin: Option<Origin>,
    /// The key, or nothing if it concerns a whole file.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Mistake {
    pub(crate) fn new(
        origin: Option<Origin>,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            origin,
            key: key.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// The configuration is wrong. Says where and what, never a secret.
#[derive(Debug)]
pub struct ConfigError(Vec<Mistake>);

impl ConfigError {
    /// A mistake in words, after the key that it is in: `log.level: no filter`.
    pub fn new(what: impl AsRef<str>) -> Self {
        let what = what.as_ref().trim();
        let named = |key: &str| {
            !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c))
        };
        let (key, message) = what
            .split_once(": ")
            .filter(|(key, _)| named(key))
            .unwrap_or(("", what));
        Self(vec![Mistake::new(None, key, message)])
    }

    /// Each mistake, in the order of the files.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }

    /// Each mistake, in the order of the files.
    pub fn into_mistakes(self) -> Vec<Mistake> {
        self.0
    }
}

impl From<Vec<Mistake>> for ConfigError {
    fn from(mistakes: Vec<Mistake>) -> Self {
        Self(mistakes)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        self.0
            .iter()
            .try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for ConfigError {}
