//! A primary that dies and a standby that takes over, over real servers that `cargo xtask test --cluster` starts.

use super::{
    given::{created, session, told, user},
    variable,
};
use revolve_adapters::postgres::{PostgresAccounts, PostgresConfig};
use revolve_domain::{
    model::EndReason,
    ports::{SessionRepository, StoreError, StoreErrorKind},
};
use revolve_testkit::untold;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

async fn admin(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The same with the hosts the other way round, and each alone.
fn views(url: &str) -> (String, [String; 2]) {
    let (head, rest) = url.split_once('@').expect("the URL has a password");
    let (hosts, database) = rest.split_once('/').expect("the URL has a database");
    let (one, two) = hosts.split_once(',').expect("two hosts");
    (
        format!("{head}@{two},{one}/{database}"),
        [one, two].map(|host| format!("{head}@{host}/{database}")),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs `cargo xtask test --cluster`"]
async fn a_standby_that_takes_over_is_found() {
    let Some(url) = variable("REVOLVE_TEST_POSTGRES_REPLICA_URL") else {
        return;
    };
    let (standby_first, [primary, standby]) = views(&url);
    let config = |url: &str| PostgresConfig {
        timeout: Duration::from_secs(5),
        pool_size: 4,
        ..PostgresConfig::new(url.to_owned().into())
    };
    let error = PostgresAccounts::connect(config(&standby))
        .await
        .err()
        .expect("a standby takes no writes");
    assert_unavailable(&error);
    let accounts = PostgresAccounts::connect(config(&standby_first))
        .await
        .expect("whichever order, the primary is found");
    created(&accounts).await;

    let (old, new) = (admin(&primary).await, admin(&standby).await);
    wait_for_replay(&old, &new).await;
    drop(
        old.batch_execute("COPY (SELECT 1) TO PROGRAM 'kill -QUIT $(head -1 postmaster.pid)'")
            .await,
    );
    let failed = calls_that_fail(&accounts).await;
    assert!(failed > 0, "the primary was gone");
    let promoted: bool = new
        .query_one("SELECT pg_promote(true, 60)", &[])
        .await
        .unwrap()
        .get(0);
    assert!(promoted);
    let begun = Instant::now();
    while let Err(error) = accounts
        .end(
            user().id,
            session(1).id,
            EndReason::SignedOut,
            session(1).began_at,
            &untold(),
        )
        .await
    {
        assert_unavailable(&error);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "it took {:?} after the decision",
            begun.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "recovered {:?} after the decision, {failed} calls failed before",
        begun.elapsed()
    );
    assert!(
        accounts
            .find(user().id, session(1).id)
            .await
            .unwrap()
            .is_some()
    );
    a_primary_that_takes_no_writes_is_left(&accounts, &new).await;
}

fn assert_unavailable(error: &StoreError) {
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", told(error));
}

/// Nothing that was acknowledged is lost with the primary, as with synchronous replication.
async fn wait_for_replay(old: &Client, new: &Client) {
    let written: String = old
        .query_one("SELECT pg_current_wal_lsn()::text", &[])
        .await
        .unwrap()
        .get(0);
    let begun = Instant::now();
    while !new
        .query_one(
            "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn",
            &[&written],
        )
        .await
        .unwrap()
        .get::<_, bool>(0)
    {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "the standby follows"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Without a primary nothing is known of a user; never that the user is gone.
async fn calls_that_fail(accounts: &PostgresAccounts) -> u32 {
    let mut failed = 0;
    for _ in 0..20 {
        let found = accounts.find(user().id, session(1).id).await;
        match found {
            Ok(found) => assert!(found.is_some(), "a user is not gone because the primary is"),
            Err(error) => {
                assert_unavailable(&error);
                failed += 1;
            }
        }
    }
    failed
}

/// At once, and it is found again.
async fn a_primary_that_takes_no_writes_is_left(accounts: &PostgresAccounts, new: &Client) {
    new.batch_execute("ALTER SYSTEM SET default_transaction_read_only = on; ")
        .await
        .unwrap();
    new.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let begun = Instant::now();
    while accounts
        .end_all(
            user().id,
            None,
            EndReason::SignedOut,
            session(1).began_at,
            &untold(),
        )
        .await
        .is_ok()
    {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it takes writes still"
        );
    }
    let error = accounts
        .end_all(
            user().id,
            None,
            EndReason::SignedOut,
            session(1).began_at,
            &untold(),
        )
        .await
        .expect_err("no writes");
    assert_unavailable(&error);
    // Nor is it read from any more, not over the connections that all reads share either: another may be the primary by now.
    let error = accounts
        .find(user().id, session(1).id)
        .await
        .expect_err("it is left");
    assert_unavailable(&error);
    new.batch_execute("SET default_transaction_read_only = off")
        .await
        .unwrap();
    new.batch_execute("ALTER SYSTEM RESET default_transaction_read_only")
        .await
        .unwrap();
    new.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let begun = Instant::now();
    while accounts
        .end_all(
            user().id,
            None,
            EndReason::SignedOut,
            session(1).began_at,
            &untold(),
        )
        .await
        .is_err()
    {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it took {:?}",
            begun.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
