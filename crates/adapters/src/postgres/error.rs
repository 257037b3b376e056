//! Failures of Postgres, sorted by what can be done about them, and described without any value from a row.

use super::url::OPTIONS_OF_A_POOLER;
use crate::{
    sql::{
        Cause, CorruptRow,
        error::{Located, store_error},
    },
    tls,
};
use deadpool_postgres::PoolError;
use refinery::error::Kind;
use revolve_domain::ports::StoreError;
use std::{error::Error, io};
use tokio_postgres::error::{DbError, SqlState};

/// This store's name in errors.
pub(super) const STORE: &str = "postgres";

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum PostgresError {
    /// Postgres or the connection to it.
    Sql(tokio_postgres::Error),
    /// No connection from the pool.
    Pool(PoolError),
    /// The tables could not be brought up to date.
    Migration(refinery::Error),
    /// The database does not encode text in UTF-8, but in this.
    Encoding(String),
    /// The URL has options, and a pooler stands between.
    Options,
    /// The deadline passed.
    TimedOut,
    /// An account must not get the address that it was about to get.
    AddressTaken,
    Corrupt(CorruptRow),
}

/// What can be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Try the same again: another transaction came in between.
    Again,
    /// Try on a new connection: this one is lost.
    Reconnect,
    /// Try later.
    Wait,
    /// Nothing.
    None,
}

/// An error of the server without its details, which quote rows: addresses and hashes must not reach a log.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {message} (SQLSTATE {code}){}", .advice.map(|advice| format!("; {advice}")).unwrap_or_default())]
struct ServerError {
    step: String,
    code: String,
    message: String,
    advice: Option<&'static str>,
}

/// An encrypted connection that was not made, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{advice}")]
struct TlsFailure {
    advice: &'static str,
    source: tokio_postgres::Error,
}

impl PostgresError {
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Sql(error) | Self::Pool(PoolError::Backend(error)) => remedy(error),
            Self::Migration(error) => error
                .source()
                .and_then(<dyn Error>::downcast_ref)
                .map_or(Remedy::None, remedy),
            Self::Pool(_) | Self::TimedOut => Remedy::Wait,
            Self::Corrupt(_) | Self::Encoding(_) | Self::Options | Self::AddressTaken => {
                Remedy::None
            }
        }
    }

    /// Whether the address is taken.
    pub(super) fn is_taken_email(&self) -> bool {
        matches!(self, Self::AddressTaken) || self.violates("users_email_key")
    }

    /// Whether an account with the same id exists.
    pub(super) fn is_taken_id(&self) -> bool {
        self.violates("users_pkey")
    }

    /// Whether an account has the credential of a passkey.
    pub(super) fn is_taken_credential(&self) -> bool {
        self.violates("passkeys_credential_id_key")
    }

    fn violates(&self, constraint: &str) -> bool {
        let Self::Sql(error) = self else { return false };
        error.as_db_error().is_some_and(|error| {
            *error.code() == SqlState::UNIQUE_VIOLATION && error.constraint() == Some(constraint)
        })
    }

    pub(super) fn into_store_error(self, operation: &'static str, place: &str) -> StoreError {
        let passes = self.remedy() != Remedy::None;
        let source: Cause = match self {
            Self::Sql(error) | Self::Pool(PoolError::Backend(error)) => without_values(error),
            Self::Pool(PoolError::Closed) => "the pool is closed".into(),
            Self::Pool(error) => error.into(),
            Self::Migration(error) => match error.kind() {
                Kind::Connection(step, cause) => cause
                    .downcast_ref()
                    .and_then(|cause| server_error(step, cause))
                    .unwrap_or_else(|| error.into()),
                _ => error.into(),
            },
            Self::Encoding(found) => format!(
                "the database is encoded in {found}, which can't hold every name: move it to one that is made with \
                 `createdb --encoding=UTF8 --template=template0`, by pg_dump and pg_restore"
            )
            .into(),
            Self::Options => format!("there is a pooler; of postgres.url, {OPTIONS_OF_A_POOLER}").into(),
            Self::TimedOut => "no answer in time".into(),
            Self::AddressTaken => "the address is taken".into(),
            Self::Corrupt(corrupt) => corrupt.into(),
        };
        let place = format!("Postgres at {place}");
        store_error(STORE, operation, passes, Located { place, source })
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

fn without_values(error: tokio_postgres::Error) -> Cause {
    if let Some(advice) = advice(&error) {
        let source = error;
        return TlsFailure { advice, source }.into();
    }
    server_error("the server refused", &error).unwrap_or_else(|| error.into())
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

fn server_error(step: &str, error: &tokio_postgres::Error) -> Option<Cause> {
    let db = error.as_db_error()?;
    let error = ServerError {
        step: step.to_owned(),
        code: db.code().code().to_owned(),
        message: db.message().to_owned(),
        advice: pooler_advice(db),
    };
    Some(error.into())
}

/// What to do about an answer that only a pooler gives, or only a session that is not ours.
fn pooler_advice(db: &DbError) -> Option<&'static str> {
    match db.code().code() {
        // A prepared statement is not there, or there is one of that name.
        "26000" | "42P05" => Some(
            "it is not the session of this connection: leave postgres.pooler out, or set it to true if there is a pooler",
        ),
        "08P01" if db.message().contains("startup parameter") => Some(
            "there is a pooler: leave postgres.pooler out or set it to true, and leave options out of postgres.url",
        ),
        _ => None,
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PoolError> for PostgresError {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<refinery::Error> for PostgresError {
    fn from(error: refinery::Error) -> Self {
        Self::Migration(error)
    }
}

impl From<CorruptRow> for PostgresError {
    fn from(corrupt: CorruptRow) -> Self {
        Self::Corrupt(corrupt)
    }
}
