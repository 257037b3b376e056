//! What goes wrong in SQLite, told without any value from a row.

use super::STORE;
use revolve_domain::ports::StoreError;
use rusqlite::ErrorCode;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// SQLite.
    #[error("SQLite refused")]
    Sql(#[from] rusqlite::Error),
    /// A row holds what no row may hold.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The transaction that this was to be a part of.
    #[error(transparent)]
    Abandoned(#[from] Abandoned),
    /// Too much is waiting already.
    #[error("too many calls wait for the file")]
    Busy,
    /// There is nobody to do it any more.
    #[error("the store is closed")]
    Closed,
    /// A bug.
    #[error("the work panicked")]
    Panicked,
}

/// A value that the domain does not accept.
#[derive(Debug, thiserror::Error)]
#[error("{table}.{column} of row {id} is corrupt: {reason}")]
pub(super) struct Corrupt {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) id: String,
    pub(super) reason: String,
}

/// The transaction of a group of writes failed, and all of them with it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the transaction failed: {reason}")]
pub(super) struct Abandoned {
    reason: String,
    passing: bool,
}

impl Abandoned {
    /// For when SQLite has rolled back by itself, because of what the group's last work ran into.
    pub(super) fn rolled_back() -> Self {
        Self {
            reason: "SQLite rolled it back".to_owned(),
            passing: true,
        }
    }
}

impl From<rusqlite::Error> for Abandoned {
    fn from(error: rusqlite::Error) -> Self {
        Self {
            passing: passes(&error),
            reason: error.to_string(),
        }
    }
}

impl Fault {
    pub(super) fn into_store_error(self, operation: &'static str) -> StoreError {
        let passing = match &self {
            Self::Sql(error) => passes(error),
            Self::Abandoned(abandoned) => abandoned.passing,
            Self::Busy | Self::Closed => true,
            Self::Corrupt(_) | Self::Panicked => false,
        };
        if passing {
            StoreError::unavailable(STORE, operation, self)
        } else {
            StoreError::broken(STORE, operation, self)
        }
    }
}

/// Whether trying again later makes sense: somebody else has the file, or the disk is full, gone or read-only.
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
