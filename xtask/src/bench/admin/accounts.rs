//! Accounts of users who do not take part, written into the user database as the service would. Their ids are in no order, as those of real
//! ones are.

use anyhow::{Context as _, Result};

use super::super::{
    outbox::Store,
    testbed::{MeasuredServer, Testbed},
};
use crate::harness::stores::PostgresConnection;

/// Rows of a statement for Postgres.
const AT_ONCE: usize = 100_000;
/// How many have what is rare.
pub(super) const RARE: usize = 50;

/// The address of the account of this number. They are in the order of the numbers.
pub(super) fn address(number: usize) -> String {
    format!("user-{number:08}@example.org")
}

/// Writes so many accounts. Of ten neighbours one has the role `support` and one is disabled, and every second one is verified. [`RARE`] of
/// all have the role `owner`, and as many are disabled and verified.
pub(super) async fn insert(
    testbed: &Testbed<'_>,
    server: &MeasuredServer,
    store: Store,
    accounts: usize,
) -> Result<()> {
    let step = accounts / RARE;
    // The prime is that of Knuth's multiplicative hash: numbers of 32 bits get others, each another.
    let scattered = "(n * 2654435761) & 4294967295";
    let what_it_is = |yes: &str| {
        format!(
            "CASE WHEN n % 10 = 1 OR n % {step} = 2 THEN {yes} END, CASE WHEN n % 2 = 0 THEN {yes} END,
             CASE WHEN n % {step} = 0 THEN '[\"owner\",\"support\"]' WHEN n % 10 = 0 THEN '[\"support\"]' END"
        )
    };
    let columns = "id, email, password_hash, name, created_at, session_epoch, disabled_at, email_verified_at, roles";
    match store {
        Store::Postgres => {
            let client = PostgresConnection::open(testbed.postgres()).await?;
            let schema = &server.name;
            let path = format!("SET search_path TO {schema}");
            client.batch_execute(&path).await?;
            for first in (0..accounts).step_by(AT_ONCE) {
                let last = accounts.min(first + AT_ONCE) - 1;
                let statement = format!(
                    "INSERT INTO users ({columns})
                    SELECT (lpad(to_hex({scattered}), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                        'user-' || lpad(n::text, 8, '0') || '@example.org', 'none', 'Somebody ' || n, now(), 0, {}
                    FROM generate_series({first}::bigint, {last}::bigint) n",
                    what_it_is("now()")
                );
                client.batch_execute(&statement).await.context("accounts")?;
            }
            // So that autovacuum does not do it while pages are measured.
            for table in ["users", "role_members"] {
                client
                    .batch_execute(&format!("VACUUM ANALYZE {table}"))
                    .await?;
            }
            client.close().await;
            Ok(())
        }
        Store::Sqlite => {
            // One transaction, whose pages fit into the cache: each is written once.
            let statements = format!(
                "PRAGMA cache_size = -1000000;
                BEGIN IMMEDIATE;
                WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {accounts})
                INSERT INTO users ({columns})
                SELECT printf('%08x-0000-7000-8000-%012x', {scattered}, n), printf('user-%08d@example.org', n), 'none', 'Somebody ' || n,
                    unixepoch() * 1000, 0, {} FROM numbers;
                COMMIT;",
                what_it_is("unixepoch() * 1000")
            );
            testbed.run_sqlite(server, &statements).await
        }
    }
}
