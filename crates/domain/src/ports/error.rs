//! The failure of a store. Business outcomes are never errors.

use std::{error::Error, fmt, time::Duration};

/// The kind of a store's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// It could not be reached, was too busy or did not answer in time: a retry makes sense.
    Unavailable,
    /// It has invalid data, or refused a statement: a bug or a broken store.
    Broken,
}

/// A store failed. Whether the operation took effect is unknown, unless the port's contract says otherwise.
#[derive(Debug)]
pub struct StoreError {
    store: &'static str,
    operation: &'static str,
    kind: StoreErrorKind,
    retry_after: Option<Duration>,
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// A temporary failure: connection refused, time-out, pool exhausted.
    pub fn unavailable(
        store: &'static str,
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            store,
            operation,
            kind: StoreErrorKind::Unavailable,
            retry_after: None,
            source: source.into(),
        }
    }

    /// A permanent failure: a corrupt row, a refused statement.
    pub fn broken(
        store: &'static str,
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            store,
            operation,
            kind: StoreErrorKind::Broken,
            retry_after: None,
            source: source.into(),
        }
    }

    /// The same with an estimate of when a retry makes sense, for a store that is overloaded.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The estimate of [`Self::retry_after`]; `Some` only for an overload.
    pub fn retry_hint(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The store: `redis`, `postgres`, `sqlite`, …
    pub fn store(&self) -> &'static str {
        self.store
    }

    /// Whether a retry makes sense.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Unavailable => "is not available",
            StoreErrorKind::Broken => "failed",
        };
        write!(f, "{} {what} (operation: {})", self.store, self.operation)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}
