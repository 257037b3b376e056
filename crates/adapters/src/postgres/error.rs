//! What goes wrong in Postgres, sorted by what can be done about it, and told without any value from a row.

use super::STORE;
use crate::tls;
use deadpool_postgres::PoolError;
use refinery::error::Kind;
use revolve_domain::ports::StoreError;
use std::{error::Error, fmt, io};
use tokio_postgres::error::SqlState;

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// Postgres or the way to it.
    Sql(tokio_postgres::Error),
    /// No connection from the pool.
    Pool(PoolError),
    /// The tables could not be brought up to date.
    Migration(refinery::Error),
    /// The deadline passed.
    Late,
    /// A row holds what no row may hold.
    Corrupt(Corrupt),
}

/// What can be done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same again: another transaction came in between.
    Again,
    /// A fresh connection: this one is lost.
    Reconnect,
    /// Nothing but to wait.
    Wait,
    /// Nothing.
    None,
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

/// An error of the server without its details, which quote rows: addresses and hashes must not reach a log.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {message} (SQLSTATE {code})")]
struct Refusal {
    step: String,
    code: String,
    message: String,
}

/// An encrypted connection that was not made, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{advice}")]
struct Handshake {
    advice: &'static str,
    source: tokio_postgres::Error,
}

/// A failure together with where Postgres was sought.
#[derive(Debug)]
struct At {
    place: String,
    source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres at {}", self.place)
    }
}

impl Error for At {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

impl Fault {
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Sql(error) | Self::Pool(PoolError::Backend(error)) => remedy(error),
            Self::Migration(error) => error
                .source()
                .and_then(<dyn Error>::downcast_ref)
                .map_or(Remedy::None, remedy),
            Self::Pool(_) | Self::Late => Remedy::Wait,
            Self::Corrupt(_) => Remedy::None,
        }
    }

    /// Whether this is the refusal of a second account with the same address.
    pub(super) fn is_taken_email(&self) -> bool {
        self.is_taken("users_email_key")
    }

    /// Whether this is the refusal of a second account with the same id.
    pub(super) fn is_taken_id(&self) -> bool {
        self.is_taken("users_pkey")
    }

    fn is_taken(&self, constraint: &str) -> bool {
        let Self::Sql(error) = self else { return false };
        let error = error.as_db_error();
        error.is_some_and(|error| {
            *error.code() == SqlState::UNIQUE_VIOLATION && error.constraint() == Some(constraint)
        })
    }

    pub(super) fn into_store_error(self, operation: &'static str, place: &str) -> StoreError {
        let broken = self.remedy() == Remedy::None;
        let source: Box<dyn Error + Send + Sync> = match self {
            Self::Sql(error) | Self::Pool(PoolError::Backend(error)) => told(error),
            Self::Pool(PoolError::Closed) => "the pool is closed".into(),
            Self::Pool(error) => error.into(),
            Self::Migration(error) => match error.kind() {
                Kind::Connection(step, cause) => cause
                    .downcast_ref()
                    .and_then(|cause| refusal(step, cause))
                    .unwrap_or_else(|| error.into()),
                _ => error.into(),
            },
            Self::Late => "no answer in time".into(),
            Self::Corrupt(corrupt) => corrupt.into(),
        };
        let at = At {
            place: place.to_owned(),
            source,
        };
        if broken {
            StoreError::broken(STORE, operation, at)
        } else {
            StoreError::unavailable(STORE, operation, at)
        }
    }
}

fn remedy(error: &tokio_postgres::Error) -> Remedy {
    let Some(db) = error.as_db_error() else {
        if advice(error).is_some() {
            return Remedy::Wait;
        }
        let io = error.source().is_some_and(<dyn Error>::is::<io::Error>);
        return if error.is_closed() || io {
            Remedy::Reconnect
        } else {
            Remedy::None
        };
    };
    match db.code().code() {
        "40001" | "40P01" => Remedy::Again,
        // Shut down, session ended for idling, or a primary that has become a standby: another connection may do.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006" => Remedy::Reconnect,
        code if code.starts_with("08") => Remedy::Reconnect,
        // The statement's or a lock's time ran out.
        "57014" | "55P03" => Remedy::Wait,
        code if code.starts_with("53") => Remedy::Wait,
        _ => Remedy::None,
    }
}

fn told(error: tokio_postgres::Error) -> Box<dyn Error + Send + Sync> {
    if let Some(advice) = advice(&error) {
        return Handshake {
            advice,
            source: error,
        }
        .into();
    }
    refusal("the server refused", &error).unwrap_or_else(|| error.into())
}

/// What to do about a connection that was not encrypted as it should be.
fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    let plain = "it does not offer TLS; switch `ssl` on there, or write sslmode=disable in the URL if nobody can listen on the way";
    let offered = error.as_db_error().is_some()
        || error
            .source()
            .is_none_or(|source| source.to_string() != "server does not support TLS");
    if offered {
        tls::advice(error)
    } else {
        Some(plain)
    }
}

fn refusal(step: &str, error: &tokio_postgres::Error) -> Option<Box<dyn Error + Send + Sync>> {
    let db = error.as_db_error()?;
    Some(
        Refusal {
            step: step.to_owned(),
            code: db.code().code().to_owned(),
            message: db.message().to_owned(),
        }
        .into(),
    )
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<refinery::Error> for Fault {
    fn from(error: refinery::Error) -> Self {
        Self::Migration(error)
    }
}

impl From<Corrupt> for Fault {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}
