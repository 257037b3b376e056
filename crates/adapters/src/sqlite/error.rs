//! Failures of SQLite, described without any value from a row.

use crate::sql::{CorruptRow, error::store_error};
use revolve_domain::ports::StoreError;
use rusqlite::ErrorCode;

/// This store's name in errors.
pub(super) const STORE: &str = "sqlite";

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SqliteError {
    #[error("SQLite refused")]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
    #[error(transparent)]
    Abandoned(#[from] Abandoned),
    #[error("too many calls wait for the file")]
    Busy,
    #[error("the store is closed")]
    Closed,
    /// A bug.
    #[error("the work panicked")]
    Panicked,
}

/// The transaction of a group of writes failed, and all of them with it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the transaction failed: {reason}")]
pub(super) struct Abandoned {
    reason: String,
    passes: bool,
}

impl Abandoned {
    /// SQLite has rolled back by itself, because of an error in the group's last call.
    pub(super) fn rolled_back() -> Self {
        Self {
            reason: "SQLite rolled it back".to_owned(),
            passes: true,
        }
    }
}

impl From<rusqlite::Error> for Abandoned {
    fn from(error: rusqlite::Error) -> Self {
        Self {
            passes: passes(&error),
            reason: error.to_string(),
        }
    }
}

impl SqliteError {
    pub(super) fn into_store_error(self, operation: &'static str) -> StoreError {
        let passes = match &self {
            Self::Sql(error) => passes(error),
            Self::Abandoned(abandoned) => abandoned.passes,
            Self::Busy | Self::Closed => true,
            Self::Corrupt(_) | Self::Panicked => false,
        };
        store_error(STORE, operation, passes, self)
    }
}

/// Whether trying again later makes sense: another process has the file, or the disk is full, gone or read-only.
pub(super) fn passes(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
        )
    )
}
