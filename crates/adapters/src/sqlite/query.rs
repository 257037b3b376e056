//! Statements, prepared once per connection.

use super::{error::SqliteError, row::NamedColumns};
use crate::sql::{CorruptRow, SqlRow};
use rusqlite::{Connection, Params};

/// The first row, if there is one.
pub(super) fn first<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    decode: impl FnOnce(&dyn SqlRow) -> Result<T, CorruptRow>,
) -> Result<Option<T>, SqliteError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let row = rows.next()?.map(NamedColumns::new);
    Ok(row.map(|row| decode(&row)).transpose()?)
}

/// Every row.
pub(super) fn all<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    mut decode: impl FnMut(&dyn SqlRow) -> Result<T, CorruptRow>,
) -> Result<Vec<T>, SqliteError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(decode(&NamedColumns::new(row))?);
    }
    Ok(all)
}

/// Whether there is a row.
pub(super) fn exists(
    conn: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<bool, SqliteError> {
    Ok(first(conn, sql, params, |_| Ok(()))?.is_some())
}

/// Runs a statement that answers no rows. Returns how many it changed.
pub(super) fn run(conn: &Connection, sql: &str, params: impl Params) -> Result<usize, SqliteError> {
    Ok(conn.prepare_cached(sql)?.execute(params)?)
}
