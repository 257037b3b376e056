//! What happens when the server is away, slow, read-only or shut down, and what concurrent calls do to each other.

use super::{
    Schema,
    given::{START, created, session, told, user},
    schema::with,
};
use futures_util::future::join_all;
use revolve_adapters::postgres::{PostgresAccounts, PostgresConfig};
use revolve_domain::{
    model::{EmailAddress, EndReason, Epoch, PasswordHash, User},
    ports::{
        BeginOutcome, BeginSession, EndOutcome, SessionRepository, StoreError, StoreErrorKind,
        UserRepository,
    },
};
use revolve_testkit::untold;
use std::time::{Duration, Instant};

async fn refused(url: &str, timeout: Duration) -> StoreError {
    let config = PostgresConfig {
        pool_size: 2,
        timeout,
        ..PostgresConfig::new(url.to_owned().into())
    };
    assert!(
        !format!("{config:?}").contains("hunter2"),
        "no password in a log"
    );
    let error = PostgresAccounts::connect(config)
        .await
        .err()
        .expect("nothing can be reached");
    assert!(
        !told(&error).contains("hunter2") && !format!("{error:?}").contains("hunter2"),
        "{}",
        told(&error)
    );
    error
}

#[tokio::test]
async fn a_server_that_is_away_is_named_without_the_password() {
    let began = Instant::now();
    let error = refused(
        "postgres://ann:hunter2@127.0.0.1:1/accounts",
        Duration::from_mins(1),
    )
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "a closed port is no reason to wait"
    );
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        told(&error).contains("127.0.0.1:1/accounts"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let at = silent.local_addr().expect("it has an address");
    let began = Instant::now();
    let error = refused(
        &format!("postgres://ann:hunter2@{at}/accounts"),
        Duration::from_millis(200),
    )
    .await;
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        told(&error).contains(&format!("{at}/accounts")),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn a_broken_url_is_not_quoted() {
    for url in [
        "postgres://ann:hunter2@host:port/accounts",
        "postgres://ann:x@host/accounts?hunter2=hunter2",
        "hunter2",
    ] {
        assert_eq!(
            refused(url, Duration::from_secs(10)).await.kind(),
            StoreErrorKind::Broken
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_heal() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, look) = (schema.accounts().await, schema.look().await);
    created(&accounts).await;
    for round in 0..10 {
        let reads = (0..8).map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.find(user().id, session(1).id).await })
        });
        for read in reads.collect::<Vec<_>>() {
            let found = read.await.expect("no panic").expect("a read never notices");
            assert!(found.is_some(), "round {round}");
        }
        let ended = accounts
            .end(
                user().id,
                session(1).id,
                EndReason::SignedOut,
                START,
                &untold(),
            )
            .await;
        assert!(ended.is_ok(), "a write finds a fresh connection");
        // The next round reads before the adapter could notice.
        let kill =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        let killed = look
            .query(kill, &[&schema.name])
            .await
            .expect("connections can be killed");
        assert!(!killed.is_empty());
    }
}

#[tokio::test]
async fn a_call_that_waits_for_a_lock_gives_up_in_time_and_leaves_nothing() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let accounts = PostgresAccounts::connect(PostgresConfig {
        timeout: Duration::from_secs(2),
        pool_size: 2,
        ..schema.config()
    });
    let (accounts, mut look) = (
        accounts.await.expect("the adapter connects"),
        schema.look().await,
    );
    created(&accounts).await;
    let tx = look.transaction().await.expect("a transaction begins");
    tx.execute("SELECT 1 FROM users FOR UPDATE", &[])
        .await
        .expect("the row can be locked");
    for _ in 0..4 {
        let began = Instant::now();
        let error = accounts
            .end_all(user().id, None, EndReason::SignedOut, START, &untold())
            .await
            .expect_err("the row is locked");
        assert_eq!(
            error.kind(),
            StoreErrorKind::Unavailable,
            "{}",
            told(&error)
        );
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the lock is held until all have given up"
        );
    }
    accounts
        .find(user().id, session(1).id)
        .await
        .expect("reads need no lock");
    tx.rollback().await.expect("the lock goes");
    let raised = accounts
        .end_all(user().id, None, EndReason::SignedOut, START, &untold())
        .await
        .expect("the row is free");
    assert_eq!(
        raised,
        Some(Epoch::FIRST.next()),
        "those that gave up did nothing"
    );
}

#[tokio::test]
async fn a_read_only_server_is_unavailable() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    schema.accounts().await;
    let url = schema.url().replace(
        "options=",
        "options=-cdefault_transaction_read_only%3Don%20",
    );
    assert_eq!(
        refused(&url, Duration::from_secs(30)).await.kind(),
        StoreErrorKind::Unavailable
    );
}

#[tokio::test]
async fn a_wrong_password_does_not_pass_by_itself() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let url = with(&schema.url(), "user=nobody_that_exists&password=hunter2");
    assert_eq!(
        refused(&url, Duration::from_secs(30)).await.kind(),
        StoreErrorKind::Broken
    );
}

#[tokio::test]
async fn a_corrupt_row_is_named() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, look) = (schema.accounts().await, schema.look().await);
    created(&accounts).await;
    for (spoil, named) in [
        (
            "UPDATE sessions SET ended_at = now(), end_reason = 'bored'",
            format!("sessions.end_reason of row {}", session(1).id),
        ),
        (
            "UPDATE sessions SET ended_at = NULL, end_reason = NULL, device_name = E'\\x01'",
            format!("sessions.device_name of row {}", session(1).id),
        ),
        (
            "UPDATE sessions SET device_name = NULL; UPDATE users SET email = 'nobody'",
            format!("users.email of row {}", user().id),
        ),
    ] {
        look.batch_execute(spoil).await.expect("the table takes it");
        let error = accounts
            .find(user().id, session(1).id)
            .await
            .expect_err("the row is corrupt");
        assert_eq!(error.kind(), StoreErrorKind::Broken);
        assert!(told(&error).contains(&named), "{}", told(&error));
        assert!(
            !told(&error).contains("nobody") && !told(&error).contains("bored"),
            "no value is told: {}",
            told(&error)
        );
    }
}

#[tokio::test]
async fn a_refused_row_is_not_quoted() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let accounts = schema.accounts().await;
    created(&accounts).await;
    let second = User {
        email: EmailAddress::parse("bob@example.org").expect("an address"),
        ..user()
    };
    let hash = PasswordHash::from_phc("$test$v=1$hunter2".to_owned());
    let error = accounts
        .create(&second, &hash, &session(2), &untold())
        .await
        .expect_err("the id is taken");
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    let told = format!("{} {error:?}", told(&error));
    assert!(
        told.contains("23505")
            && !told.contains("hunter2")
            && !told.contains(&user().id.to_string()),
        "{told}"
    );
}

#[tokio::test]
async fn a_closed_pool_is_unavailable() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let accounts = schema.accounts().await;
    accounts
        .find(user().id, session(1).id)
        .await
        .expect("it answers");
    accounts.close();
    assert_eq!(
        accounts.ping().await.expect_err("it is closed").kind(),
        StoreErrorKind::Unavailable
    );
    let error = accounts
        .find(user().id, session(1).id)
        .await
        .expect_err("those that are shared are closed, too");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn short_reads_of_a_thread_share_one_connection() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    for (shared, connections) in [(2, 2..=2), (0, 2..=8)] {
        let accounts = PostgresAccounts::connect(PostgresConfig {
            shared,
            ..schema.config()
        })
        .await
        .expect("the adapter connects");
        let (user, session) = (user().id, session(1).id);
        for found in join_all((0..50).map(|_| accounts.find(user, session))).await {
            found.expect("it is read");
        }
        // The first one is the pool's, which connecting made.
        assert!(
            connections.contains(&accounts.pool().open),
            "{shared} shared: {:?}",
            accounts.pool()
        );
        assert_eq!(accounts.pool().max, 8);
        accounts.close();
    }
}

#[tokio::test]
async fn a_shared_connection_that_is_held_up_is_replaced() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let timeout = Duration::from_secs(3);
    let config = PostgresConfig {
        timeout,
        ..schema.config()
    };
    let (accounts, mut look) = (
        PostgresAccounts::connect(config)
            .await
            .expect("the adapter connects"),
        schema.look().await,
    );
    created(&accounts).await;
    let (user, session) = (user().id, session(1).id);
    let tx = look.transaction().await.expect("a transaction begins");
    tx.batch_execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("the table can be locked");
    let began = Instant::now();
    for read in join_all((0..5).map(|_| accounts.find(user, session))).await {
        assert_eq!(
            read.expect_err("the table is locked").kind(),
            StoreErrorKind::Unavailable
        );
    }
    assert!(
        began.elapsed() < timeout * 4,
        "five give up at the same time, not one after the other"
    );
    tx.rollback().await.expect("the lock goes");
    assert!(
        accounts
            .find(user, session)
            .await
            .expect("a fresh connection answers")
            .is_some()
    );
}

/// Single ends take no lock on the account, so they meet sign-ins half-way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_among_sign_ins_is_final() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let accounts = schema.accounts().await;
    created(&accounts).await;
    for number in 2..60 {
        let begin = BeginSession {
            session: session(number),
            former_devices: Vec::new(),
            refreshed: Vec::new(),
            max_live: 3,
            max_ended: 100,
            settled: session(number).began_at,
            max_devices: 100,
            idle: Duration::from_hours(1),
            unless_factor: false,
        };
        let ended = session(number - 1);
        let (begins, ends) = (untold(), untold());
        let (begun, ending) = tokio::join!(
            accounts.begin(&begin, &begins),
            accounts.end(
                ended.user,
                ended.id,
                EndReason::SignedOut,
                ended.began_at,
                &ends
            ),
        );
        let BeginOutcome::Begun {
            replaced, evicted, ..
        } = begun.expect("begin works")
        else {
            panic!("nothing superseded it")
        };
        assert_eq!((replaced, evicted.contains(&ended.id)), (Vec::new(), false));
        assert_eq!(ending.expect("end works"), EndOutcome::Ended);
        let record = accounts
            .find(ended.user, ended.id)
            .await
            .expect("find works")
            .expect("the session is there");
        assert_eq!(
            record.session.ending.map(|ending| ending.reason),
            Some(EndReason::SignedOut),
            "the first reason stays"
        );
    }
}
