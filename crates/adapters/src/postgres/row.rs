use super::values::PgTimestamp;
use crate::sql::{self, Cause};
use revolve_domain::model::Timestamp;
use std::net::IpAddr;
use tokio_postgres::Row;
use uuid::Uuid;

impl sql::SqlRow for Row {
    fn text(&self, column: &str) -> Result<Option<&str>, Cause> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Cause> {
        Ok(self.try_get(column)?)
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, Cause> {
        Ok(self.try_get(column)?)
    }

    fn boolean(&self, column: &str) -> Result<Option<bool>, Cause> {
        Ok(self.try_get(column)?)
    }

    fn uuid(&self, column: &str) -> Result<Option<Uuid>, Cause> {
        Ok(self.try_get(column)?)
    }

    fn instant(&self, column: &str) -> Result<Option<Timestamp>, Cause> {
        let at: Option<PgTimestamp> = self.try_get(column)?;
        Ok(at.map(|PgTimestamp(at)| at))
    }

    fn address(&self, column: &str) -> Result<Option<IpAddr>, Cause> {
        Ok(self.try_get(column)?)
    }
}
