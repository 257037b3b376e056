//! A row of SQLite. Ids are text and instants are milliseconds.

use crate::sql::{self, Cause};
use revolve_domain::model::Timestamp;
use rusqlite::{Row, Statement, types::ValueRef};
use std::{cell::Cell, net::IpAddr};
use uuid::Uuid;

/// Finds columns by name, beginning behind the column that was read last: SQLite is asked for each name that is compared,
/// which would take as long as the statement itself if every search began at the first column.
pub(super) struct NamedColumns<'r> {
    row: &'r Row<'r>,
    next: Cell<usize>,
}

impl<'r> NamedColumns<'r> {
    pub(super) fn new(row: &'r Row<'r>) -> Self {
        Self {
            row,
            next: Cell::new(0),
        }
    }

    fn get(&self, column: &str) -> rusqlite::Result<ValueRef<'_>> {
        let statement: &Statement<'_> = self.row.as_ref();
        let (next, count) = (self.next.get(), statement.column_count());
        for index in (next..count).chain(0..next) {
            if statement.column_name(index)? == column {
                self.next.set(index + 1);
                return self.row.get_ref(index);
            }
        }
        Err(rusqlite::Error::InvalidColumnName(column.to_owned()))
    }
}

impl sql::SqlRow for NamedColumns<'_> {
    fn text(&self, column: &str) -> Result<Option<&str>, Cause> {
        Ok(self.get(column)?.as_str_or_null()?)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Cause> {
        Ok(self.get(column)?.as_blob_or_null()?)
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, Cause> {
        Ok(self.get(column)?.as_i64_or_null()?)
    }

    fn boolean(&self, column: &str) -> Result<Option<bool>, Cause> {
        Ok(self.integer(column)?.map(|number| number != 0))
    }

    fn uuid(&self, column: &str) -> Result<Option<Uuid>, Cause> {
        Ok(self.text(column)?.map(Uuid::parse_str).transpose()?)
    }

    fn instant(&self, column: &str) -> Result<Option<Timestamp>, Cause> {
        Ok(self.integer(column)?.map(Timestamp::from_millis))
    }

    fn address(&self, column: &str) -> Result<Option<IpAddr>, Cause> {
        Ok(self.text(column)?.map(str::parse).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::SqlRow as _;

    #[test]
    fn columns_are_found_in_any_order_and_any_number_of_times() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        let mut statement = conn
            .prepare("SELECT 1 AS one, 2 AS two, NULL AS three")
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        let row = NamedColumns::new(rows.next().unwrap().unwrap());
        for (column, value) in [
            ("two", Some(2)),
            ("one", Some(1)),
            ("three", None),
            ("three", None),
            ("one", Some(1)),
        ] {
            assert_eq!(row.integer(column).unwrap(), value, "{column}");
        }
        assert!(row.integer("four").is_err());
        assert!(row.text("one").is_err(), "a number is no text");
    }
}
