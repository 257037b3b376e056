//! What a check found.

use serde::Serialize;
use std::{error::Error, io};

/// What to do about what this user may not see, or not do.
pub(super) const AS_USER: &str =
    "run it as the service's user: what this one may not do, that one may";

/// Whether it failed because this user may not do it, somewhere down the line.
pub(super) fn is_denied(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Works, and will hurt some day.
    Warning,
    /// Does not work, or loses what must not be lost.
    Error,
    /// It could not be checked.
    Unknown,
}

impl Level {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }

    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "with a warning",
            Self::Error => "with an error",
            Self::Unknown => "could not be checked",
        }
    }
}

/// What a check found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// The check's stable name: `redis.eviction`.
    pub(super) check: &'static str,
    pub(super) level: Level,
    /// What was found; never a secret.
    pub(super) says: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

impl Finding {
    fn new(check: &'static str, level: Level, says: impl Into<String>) -> Self {
        Self {
            check,
            level,
            says: says.into(),
            advice: None,
        }
    }

    pub(super) fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, says)
    }

    pub(super) fn warning(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Level::Warning, says)
    }

    pub(super) fn error(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Level::Error, says)
    }

    /// It could not be checked, and why.
    pub(super) fn unknown(check: &'static str, why: impl Into<String>) -> Self {
        Self::new(check, Level::Unknown, why)
    }

    /// What to do.
    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    /// Where it was found, if there are several such places.
    pub(super) fn at(self, place: &str) -> Self {
        Self {
            says: format!("{place}: {}", self.says),
            ..self
        }
    }
}
