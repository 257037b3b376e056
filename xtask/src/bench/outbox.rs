//! Mails of users who do not take part, written into the outbox as the service would.

use anyhow::{Context as _, Result};

use super::{
    seed,
    testbed::{MeasuredServer, Testbed},
};
use crate::harness::stores::PostgresConnection;

/// Rows of a statement, so that the service can write in between.
const AT_ONCE: usize = 10_000;

/// The kind of store that a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// A schema of the server's name.
    Postgres,
    Sqlite,
}

impl Store {
    pub(super) const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];

    /// What names of servers and figures end with.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "server",
            Self::Sqlite => "embedded",
        }
    }
}

/// Notices to different accounts, so that each is sent on its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherMails {
    /// The number of the first: no two have the same.
    pub(super) first: usize,
    pub(super) count: usize,
    /// They go to so many domains in turn.
    pub(super) domains: usize,
    /// In so many days.
    pub(super) due_in: u32,
}

/// Writes the mails into the server's outbox.
pub(super) async fn insert(
    testbed: &Testbed<'_>,
    server: &MeasuredServer,
    store: Store,
    mails: OtherMails,
) -> Result<()> {
    let parts = (0..mails.count).step_by(AT_ONCE).map(|done| OtherMails {
        first: mails.first + done,
        count: AT_ONCE.min(mails.count - done),
        ..mails
    });
    match store {
        Store::Postgres => {
            let client = PostgresConnection::open(testbed.postgres()).await?;
            for part in parts {
                let statement = part.for_postgres(&server.name);
                client.batch_execute(&statement).await.context("mails")?;
            }
            // So that autovacuum does not do it while requests are measured.
            let vacuum = format!("VACUUM ANALYZE {}.deliveries", server.name);
            client.batch_execute(&vacuum).await?;
            client.close().await;
            Ok(())
        }
        Store::Sqlite => {
            let statements: Vec<_> = parts.map(OtherMails::for_sqlite).collect();
            testbed.run_sqlite(server, &statements.concat()).await
        }
    }
}

impl OtherMails {
    fn for_postgres(self, schema: &str) -> String {
        let Self {
            first,
            count,
            domains,
            due_in,
        } = self;
        format!(
            "INSERT INTO {schema}.deliveries
                (id, kind, email, domain, user_id, facts, created_at, expires_at, notice, due_at, next_at)
            SELECT {}, 'password_changed', 'other-' || n || '@' || domain, domain, {}, '{{}}', now(), due + interval '1 day', true, due, due
            FROM (SELECT n, 'host-' || n % {domains} || '.example.org' AS domain, now() + interval '{due_in} days' AS due
                FROM generate_series({first}, {first} + {count} - 1) n) AS other",
            seed::id("4444"),
            seed::id("0000")
        )
    }

    fn for_sqlite(self) -> String {
        let id = |infix: &str| format!("printf('%08x-{infix}-7000-8000-%012x', n, n)");
        let Self {
            first,
            count,
            domains,
            due_in,
        } = self;
        format!(
            "WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {first} + {count}),
                other AS (SELECT n, 'host-' || n % {domains} || '.example.org' AS domain, unixepoch() * 1000 AS now,
                    (unixepoch() + {due_in} * 86400) * 1000 AS due FROM numbers)
            INSERT INTO deliveries (id, kind, email, domain, user_id, facts, created_at, expires_at, notice, due_at, next_at)
            SELECT {}, 'password_changed', 'other-' || n || '@' || domain, domain, {}, '{{}}', now, due + 86400000, 1, due, due FROM other;
            ",
            id("4444"),
            id("0000")
        )
    }
}
