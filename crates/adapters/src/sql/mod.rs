//! What the adapters of Postgres and SQLite share: how rows become the domain's types, how failures become the port's
//! errors, and how the tables are migrated. Columns are read by name, never by position.

mod api_keys;
mod deliveries;
mod epoch;
pub(crate) mod error;
mod factors;
mod journal;
mod legacy;
pub(crate) mod migrations;
mod proof;
mod read;
mod row;
mod webhooks;

pub(crate) use api_keys::{
    api_key, api_key_columns, claimed, named_request, request_columns, scopes,
};
pub(crate) use deliveries::{
    BACKLOG, MailRow, backlog, by_domain, delivery, delivery_columns, delivery_id, quiet_notice,
    readable, whole_backlog,
};
pub(crate) use epoch::RaiseEpoch;
pub(crate) use factors::{
    FactorChange, Refusal, SessionChange, challenge, challenge_columns, due_user, factors,
    factors_of, first_factors, may_open, passkey, passkey_columns, reset, sealed_factors, signs_in,
    stored_macs, whole_factors,
};
pub(crate) use journal::{cursor, details, journal_columns, journal_record, place};
pub(crate) use legacy::forget_legacy;
pub(crate) use proof::{proof, proof_columns, standing_proof};
pub(crate) use read::{
    FoundRevocations, LIST_KEYS, account_columns, app, begun, bound_device, credential_columns,
    credentials, credentials_if_any, ended_session, key, missing_key, remembered_device,
    revocation, roles, session, session_columns, session_record, stored_address, typed, user,
    user_columns, version_number,
};
pub(crate) use row::{Cause, CorruptRow, SqlRow};
pub(crate) use webhooks::{
    LIST_WEBHOOKS, WEBHOOK_BACKLOGS, readable_webhook_delivery, webhook, webhook_backlog,
    webhook_columns,
};
#[cfg(feature = "sqlite")]
pub(crate) use {deliveries::domain, read::active_key, row::RowReader};
