//! What the adapters of Postgres and SQLite share: how rows become the domain's types, how failures become the port's
//! errors, and how the tables are migrated. Columns are read by name, never by position.

mod deliveries;
mod epoch;
pub(crate) mod error;
mod journal;
pub(crate) mod migrations;
mod proof;
mod read;
mod row;

pub(crate) use deliveries::{
    BACKLOG, MailRow, backlog, by_domain, delivery, delivery_columns, delivery_id, readable,
    whole_backlog,
};
pub(crate) use epoch::RaiseEpoch;
pub(crate) use journal::{cursor, details, journal_columns, journal_record, place};
pub(crate) use proof::{proof, proof_columns, standing_proof};
pub(crate) use read::{
    FoundRevocations, LIST_KEYS, account_columns, begun, bound_device, credential_columns,
    credentials, credentials_if_any, ended_session, key, missing_key, revocation, session,
    session_columns, session_record, stored_address, typed, user, user_columns,
};
pub(crate) use row::{Cause, CorruptRow, SqlRow};
#[cfg(feature = "sqlite")]
pub(crate) use {deliveries::domain, read::active_key, row::RowReader};
