//! The outbox in the user database, whose time is shifted here: the service's pauses are half a minute and longer.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Result;
use rusqlite::{Connection, TransactionBehavior};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::{
    faults::{
        scenario::Scenario,
        user_database::{BUSY, with_file},
    },
    harness::stores::PostgresConnection,
};

/// A mail server that takes mails has taken all within this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
pub(in crate::faults) const POLL: Duration = Duration::from_millis(20);
/// Reading rows takes less. No lease that begins so soon after a fault lasts until they are read.
const READING: Duration = Duration::from_millis(100);
/// What is due sooner than this is not pausing.
const SOON: Duration = Duration::from_secs(2);

const POSTGRES_ROWS: &str = "
    SELECT id::text AS id, kind, email, state = 'waiting' AS waits, attempts, leased_until IS NOT NULL AS leased,
        greatest(0, extract(epoch FROM next_at - now()))::float8 AS wait, coalesce(last_error, '') AS error
    FROM deliveries";
const POSTGRES_DUE: &str =
    "UPDATE deliveries SET next_at = now() WHERE id = ANY ($1::text[]::uuid[])";
const SQLITE_ROWS: &str = "
    SELECT id, kind, email, state = 'waiting' AS waits, attempts, leased_until IS NOT NULL AS leased,
        max(0.0, next_at / 1000.0 - unixepoch('subsec')) AS wait, coalesce(last_error, '') AS error
    FROM deliveries";
const SQLITE_DUE: &str =
    "UPDATE deliveries SET next_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE id = ?1";

/// Where the outbox is.
pub(in crate::faults) enum Outbox {
    Postgres(Url),
    Sqlite(PathBuf),
}

/// An outbox that can be read. One in Postgres has a connection.
pub(in crate::faults) enum OpenOutbox {
    Postgres(PostgresConnection),
    Sqlite(PathBuf),
}

/// A mail in the outbox.
#[derive(Debug, Clone)]
pub(in crate::faults) struct DeliveryRow {
    pub(in crate::faults) id: String,
    pub(in crate::faults) kind: String,
    pub(in crate::faults) to: String,
    /// Whether it is still to be sent, and was not given up.
    pub(in crate::faults) waits: bool,
    pub(in crate::faults) attempts: i64,
    pub(in crate::faults) leased: bool,
    /// The time until it is due again.
    pub(in crate::faults) wait: Duration,
    pub(in crate::faults) error: String,
}

impl DeliveryRow {
    /// Whether it was tried, and waits for its next attempt.
    pub(in crate::faults) fn is_pausing(&self) -> bool {
        self.waits && !self.leased && self.attempts > 0 && self.wait > SOON
    }

    /// Whether it is a notice that has to wait for the end of another one's pause.
    fn is_held_back(&self) -> bool {
        self.attempts == 0 && self.wait > SOON
    }

    pub(super) fn words(&self) -> String {
        format!(
            "{} to {}: {} attempts, {}due in {} s, {}",
            self.kind,
            self.to,
            self.attempts,
            if self.leased { "leased, " } else { "" },
            self.wait.as_secs(),
            self.error
        )
    }
}

/// Leases that nobody has any more: those from before a moment, but for mails that the service knows to have been taken.
pub(super) struct LostLeases<F> {
    pub(super) before: Option<Instant>,
    /// How long the service leases.
    pub(super) lease: Duration,
    pub(super) known: F,
}

impl<F: Fn() -> BTreeSet<String>> LostLeases<F> {
    fn ids(&self, rows: &[DeliveryRow]) -> Vec<String> {
        let Some(before) = self.before else {
            return Vec::new();
        };
        // A lease from before ends sooner than a later one. Time has passed since the rows were read.
        let latest = (self.lease + READING).saturating_sub(before.elapsed());
        let known = (self.known)();
        rows.iter()
            .filter(|row| row.leased && row.wait <= latest && row.wait > SOON)
            .filter(|row| !known.contains(&row.id))
            .map(|row| row.id.clone())
            .collect()
    }
}

impl Outbox {
    pub(in crate::faults) async fn open(&self) -> Result<OpenOutbox> {
        Ok(match self {
            Self::Postgres(url) => OpenOutbox::Postgres(PostgresConnection::open(url).await?),
            Self::Sqlite(file) => OpenOutbox::Sqlite(file.clone()),
        })
    }
}

impl OpenOutbox {
    /// All mails in it, those that were given up as well.
    pub(in crate::faults) async fn rows(&self) -> Result<Vec<DeliveryRow>> {
        match self {
            Self::Postgres(connection) => {
                let rows = timeout(BUSY, connection.query(POSTGRES_ROWS, &[])).await??;
                rows.iter().map(from_postgres).collect()
            }
            Self::Sqlite(file) => {
                let read = |connection: &mut Connection| {
                    let mut statement = connection.prepare(SQLITE_ROWS)?;
                    let rows = statement.query_map([], from_sqlite)?;
                    rows.collect()
                };
                with_file(file, read).await
            }
        }
    }

    /// Lets these be due now.
    pub(in crate::faults) async fn make_due(&self, ids: Vec<String>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        match self {
            Self::Postgres(connection) => {
                timeout(BUSY, connection.execute(POSTGRES_DUE, &[&ids])).await??;
                Ok(())
            }
            Self::Sqlite(file) => {
                let write = move |connection: &mut Connection| {
                    let step =
                        connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                    for id in &ids {
                        step.execute(SQLITE_DUE, [id])?;
                    }
                    step.commit()
                };
                with_file(file, write).await
            }
        }
    }

    /// Ends pauses and lost leases until nothing waits. Answers what still does when the time is up.
    pub(super) async fn drain(
        &self,
        scenario: &Scenario,
        lost: LostLeases<impl Fn() -> BTreeSet<String>>,
    ) -> Result<Vec<DeliveryRow>> {
        let (begun, before) = (Instant::now(), scenario.stalled());
        loop {
            let mut waiting = self.rows().await?;
            waiting.retain(|row| row.waits && !row.is_held_back());
            let stalled = scenario.stalled().saturating_sub(before);
            if waiting.is_empty() || begun.elapsed() > PATIENCE + stalled {
                return Ok(waiting);
            }
            let pausing = waiting.iter().filter(|row| row.is_pausing());
            let mut due: Vec<_> = pausing.map(|row| row.id.clone()).collect();
            due.extend(lost.ids(&waiting));
            self.make_due(due).await?;
            sleep(POLL).await;
        }
    }
}

fn from_postgres(row: &tokio_postgres::Row) -> Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        to: row.try_get("email")?,
        waits: row.try_get("waits")?,
        attempts: row.try_get("attempts")?,
        leased: row.try_get("leased")?,
        wait: Duration::from_secs_f64(row.try_get("wait")?),
        error: row.try_get("error")?,
    })
}

fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.get("id")?,
        kind: row.get("kind")?,
        to: row.get("email")?,
        waits: row.get("waits")?,
        attempts: row.get("attempts")?,
        leased: row.get("leased")?,
        wait: Duration::from_secs_f64(row.get("wait")?),
        error: row.get("error")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(35);

    fn row(id: &str, attempts: i64, leased: bool, wait: Duration) -> DeliveryRow {
        DeliveryRow {
            id: id.to_owned(),
            kind: "verify_email".to_owned(),
            to: "ann@example.org".to_owned(),
            waits: true,
            attempts,
            leased,
            wait,
            error: String::new(),
        }
    }

    #[test]
    fn a_mail_pauses_after_an_attempt_and_not_while_it_is_sent_or_due() {
        let half_a_minute = Duration::from_secs(30);
        assert!(row("1", 1, false, half_a_minute).is_pausing());
        let held_back = row("1", 0, false, half_a_minute);
        assert!(!held_back.is_pausing() && held_back.is_held_back());
        assert!(!row("1", 1, true, half_a_minute).is_pausing());
        assert!(!row("1", 1, false, Duration::ZERO).is_pausing());
        let given_up = DeliveryRow {
            waits: false,
            ..row("1", 1, false, half_a_minute)
        };
        assert!(!given_up.is_pausing());
    }

    #[test]
    fn a_lease_is_lost_if_it_began_before_the_fault_and_its_mail_is_not_known_to_have_arrived() {
        let ago = Duration::from_secs(5);
        let lost = |before| LostLeases {
            before,
            lease: LEASE,
            known: || BTreeSet::from(["arrived".to_owned()]),
        };
        let rows = [
            row("before", 1, true, Duration::from_secs(25)),
            row("arrived", 1, true, Duration::from_secs(25)),
            row("after", 1, true, Duration::from_secs(33)),
            row("pausing", 1, false, Duration::from_secs(25)),
        ];
        let before = Instant::now().checked_sub(ago);
        assert_eq!(lost(before).ids(&rows), ["before"]);
        assert!(lost(None).ids(&rows).is_empty());
    }

    #[tokio::test]
    async fn a_mail_in_sqlite_is_read_and_made_due() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outbox.sqlite3");
        let columns = "id, kind, email, state, attempts, leased_until, next_at, last_error";
        let prepare = format!(
            "CREATE TABLE deliveries ({columns});
             INSERT INTO deliveries VALUES ('1', 'verify_email', 'ann@example.org', 'waiting', 1, NULL,
                 CAST(unixepoch('subsec') * 1000 AS INTEGER) + 40000, NULL)"
        );
        let outbox = OpenOutbox::Sqlite(file.clone());
        with_file(&file, move |connection| connection.execute_batch(&prepare))
            .await
            .unwrap();
        let rows = outbox.rows().await.unwrap();
        assert!(
            rows[0].is_pausing() && rows[0].wait <= Duration::from_secs(40),
            "{rows:?}"
        );
        outbox.make_due(vec!["1".to_owned()]).await.unwrap();
        let rows = outbox.rows().await.unwrap();
        assert!(rows[0].wait.is_zero(), "{rows:?}");
    }
}
