//! What the adapters of Postgres and SQLite share.

pub(crate) mod migrations;
