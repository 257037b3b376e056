//! A row of either database.

use revolve_domain::model::Timestamp;
use std::{error::Error, fmt::Display, net::IpAddr};
use uuid::Uuid;

pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// A row of a result. NULL is `None`. The reasons of errors quote no value.
pub(crate) trait SqlRow {
    fn text(&self, column: &str) -> Result<Option<&str>, Cause>;
    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Cause>;
    fn integer(&self, column: &str) -> Result<Option<i64>, Cause>;
    fn boolean(&self, column: &str) -> Result<Option<bool>, Cause>;
    fn uuid(&self, column: &str) -> Result<Option<Uuid>, Cause>;
    fn instant(&self, column: &str) -> Result<Option<Timestamp>, Cause>;
    fn address(&self, column: &str) -> Result<Option<IpAddr>, Cause>;
}

/// A value that the domain does not accept.
#[derive(Debug, thiserror::Error)]
#[error("{table}.{column} of row {id} is corrupt: {reason}")]
pub(crate) struct CorruptRow {
    table: &'static str,
    column: &'static str,
    id: String,
    reason: String,
}

impl CorruptRow {
    /// For what a whole result lacks.
    pub(crate) fn of_result(table: &'static str, column: &'static str, reason: &str) -> Self {
        Self {
            table,
            column,
            id: "?".to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// Reads the columns that a row has from one table. Errors name table, column and the row's id.
pub(crate) struct RowReader<'r> {
    row: &'r dyn SqlRow,
    table: &'static str,
    id: &'static str,
}

impl<'r> RowReader<'r> {
    /// `id`: the column that identifies the row.
    pub(crate) fn new(row: &'r dyn SqlRow, table: &'static str, id: &'static str) -> Self {
        Self { row, table, id }
    }

    pub(crate) fn optional<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&'r dyn SqlRow, &str) -> Result<Option<T>, Cause>,
    ) -> Result<Option<T>, CorruptRow> {
        read(self.row, column).map_err(|error| self.corrupt(column, error))
    }

    pub(crate) fn required<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&'r dyn SqlRow, &str) -> Result<Option<T>, Cause>,
    ) -> Result<T, CorruptRow> {
        self.optional(column, read)?
            .ok_or_else(|| self.corrupt(column, "it is null"))
    }

    /// Text that must parse, if there is any.
    pub(crate) fn parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, CorruptRow> {
        self.optional(column, SqlRow::text)?
            .map(parse)
            .transpose()
            .map_err(|error| self.corrupt(column, error))
    }

    pub(crate) fn required_parsed<T, E: Display>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, CorruptRow> {
        self.parsed(column, parse)?
            .ok_or_else(|| self.corrupt(column, "it is null"))
    }

    pub(crate) fn number<T: TryFrom<i64, Error: Display>>(
        &self,
        column: &'static str,
    ) -> Result<T, CorruptRow> {
        let number = self.required(column, SqlRow::integer)?;
        T::try_from(number).map_err(|error| self.corrupt(column, error))
    }

    pub(crate) fn corrupt(&self, column: &'static str, reason: impl Display) -> CorruptRow {
        let uuid = || Some(self.row.uuid(self.id).ok()??.to_string());
        let text = || Some(self.row.text(self.id).ok()??.to_owned());
        CorruptRow {
            table: self.table,
            column,
            id: uuid().or_else(text).unwrap_or_else(|| "?".to_owned()),
            reason: reason.to_string(),
        }
    }
}
