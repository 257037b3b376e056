//! Ids are text and instants are milliseconds.

use crate::sql::{self, Cause};
use revolve_domain::model::Timestamp;
use rusqlite::Row;
use std::net::IpAddr;
use uuid::Uuid;

impl sql::Row for Row<'_> {
    fn text(&self, column: &str) -> Result<Option<&str>, Cause> {
        Ok(self.get_ref(column)?.as_str_or_null()?)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Cause> {
        Ok(self.get_ref(column)?.as_blob_or_null()?)
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, Cause> {
        Ok(self.get_ref(column)?.as_i64_or_null()?)
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
