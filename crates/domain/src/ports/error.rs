//! How a port says that it failed. Business outcomes are never errors.

use std::{error::Error, fmt, time::Duration};

/// What kind of failure a store met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// It could not be reached, was too busy or gave no answer in time: trying again later makes sense.
    Unavailable,
    /// It holds something that should not be there, or refused a statement: a bug or a broken store.
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
    /// A failure that passes: connection refused, time-out, pool exhausted.
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

    /// A failure that does not pass by itself: a corrupt row, a refused statement.
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

    /// The same, by one that knows when it will have time again: an estimate for clients, not a promise.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// After so long trying again makes sense, as far as the store can tell. What has it was turned away because there is too much to do.
    pub fn retry_hint(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Which store: `redis`, `postgres`, `sqlite`, …
    pub fn store(&self) -> &'static str {
        self.store
    }

    /// Whether trying again later makes sense.
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
        write!(
            f,
            "{} {what} (while it should {})",
            self.store, self.operation
        )
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}
