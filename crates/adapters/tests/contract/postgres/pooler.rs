//! The same through PgBouncer in transaction mode, whose sessions of the server all clients of a database share. Each test
//! has a database of its own, since the schema of a session can't be asked for through a pooler.

use super::{
    given::{created, session, told, user},
    schema::{Subject, admin, execute_and_wait, with},
    server, variable,
};
use futures_util::future::join_all;
use revolve_adapters::postgres::{PoolMode, PostgresAccounts, PostgresConfig, inspect};
use revolve_domain::{
    model::{EndReason, Epoch},
    ports::{BeginOutcome, BeginSession, SessionRepository, StoreErrorKind, UserRepository},
};
use revolve_testkit::{contract::MemorySubject, untold};
use std::time::Duration;
use tokio_postgres::Client;
use url::Url;

revolve_testkit::accounts_contract!(make);
revolve_testkit::directory_contract!(make);
revolve_testkit::keys_contract!(make);

/// A database that goes with its test.
struct Database {
    server: String,
    name: String,
    /// Past the pooler, and through it.
    direct: String,
    pooled: String,
}

impl Database {
    /// `None` if there is no pooler, or no server and that is allowed.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests share a server with other runs, which no seed keeps apart"
    )]
    async fn make() -> Option<Self> {
        let (server, pooler) = (server()?, variable("REVOLVE_TEST_POSTGRES_POOLER_URL")?);
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        admin(&server)
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a database can be made");
        let of = |url: &str| {
            let mut url: Url = url.parse().expect("the URL of a store is a URL");
            url.set_path(&name);
            url.to_string()
        };
        let (direct, pooled) = (of(&server), of(&pooler));
        Some(Self {
            server,
            name,
            direct,
            pooled,
        })
    }

    /// Time enough for a machine that builds something else at the same time.
    fn config(&self) -> PostgresConfig {
        PostgresConfig {
            pool_size: 8,
            timeout: Duration::from_secs(10),
            ..PostgresConfig::new(self.pooled.clone().into())
        }
    }

    async fn accounts(&self) -> PostgresAccounts {
        connected(self.config()).await
    }

    /// A way into the database past the pooler.
    async fn look(&self) -> Client {
        admin(&self.direct).await
    }

    /// How many statements of the database wait for a lock.
    async fn waiting(&self, look: &Client) -> i64 {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
        let row = look.query_one(waiting, &[&self.name]).await;
        row.expect("the server tells").get(0)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute_and_wait(
            self.server.clone(),
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
    }
}

async fn connected(config: PostgresConfig) -> PostgresAccounts {
    match PostgresAccounts::connect(config).await {
        Ok(accounts) => accounts,
        Err(error) => panic!("{}", told(&error)),
    }
}

async fn make() -> Subject {
    let Some(database) = Database::make().await else {
        return Subject::Skipped(MemorySubject::new());
    };
    Subject::Postgres {
        accounts: database.accounts().await,
        _place: Box::new(database),
    }
}

#[tokio::test]
async fn a_pooler_and_a_server_are_told_apart() {
    let Some(database) = Database::make().await else {
        return;
    };
    let direct = PostgresConfig {
        url: database.direct.clone().into(),
        ..database.config()
    };
    for (config, mode) in [
        (database.config(), PoolMode::Transaction),
        (direct, PoolMode::Session),
    ] {
        assert_eq!(connected(config.clone()).await.pool_mode(), mode);
        let (facts, ()) = inspect(&config, || ()).await.expect("it can be reached");
        assert_eq!(facts.pool_mode, mode);
        assert!(!facts.read_only && facts.schema == Some(facts.wanted_schema));
        assert!(matches!(facts.keys, Some(Ok(_))), "{facts:?}");
    }
}

#[tokio::test]
async fn the_configuration_may_say_that_there_is_a_pooler() {
    let Some(database) = Database::make().await else {
        return;
    };
    let told_so = PostgresConfig {
        pooler: Some(true),
        url: database.direct.clone().into(),
        ..database.config()
    };
    let accounts = connected(told_so).await;
    assert_eq!(accounts.pool_mode(), PoolMode::Transaction);
    created(&accounts).await;
    let wrong = PostgresConfig {
        pooler: Some(false),
        ..database.config()
    };
    let error = PostgresAccounts::connect(wrong)
        .await
        .err()
        .expect("a session's settings are refused");
    assert!(told(&error).contains("postgres.pooler"), "{}", told(&error));
}

#[tokio::test]
async fn options_in_the_url_are_refused_with_what_to_do_instead() {
    let Some(database) = Database::make().await else {
        return;
    };
    let options = "options=-csearch_path%3Dpg_temp";
    let through = PostgresConfig {
        url: with(&database.pooled, options).into(),
        ..database.config()
    };
    let error = PostgresAccounts::connect(through)
        .await
        .err()
        .expect("the pooler refuses them");
    assert!(
        told(&error).contains("leave options out"),
        "{}",
        told(&error)
    );
    // A pooler may ignore them, and the tables would be made in another schema.
    let ignored = PostgresConfig {
        pooler: Some(true),
        url: with(&database.direct, options).into(),
        ..database.config()
    };
    let mistake = ignored.mistake().expect("a start is refused before");
    assert!(mistake.contains("ALTER ROLE"), "{mistake}");
    let error = PostgresAccounts::connect(ignored).await.err();
    assert!(told(&error.expect("refused")).contains("ALTER ROLE"));
}

#[tokio::test]
async fn replicas_may_start_at_once() {
    let Some(database) = Database::make().await else {
        return;
    };
    let starting = (0..4).map(|_| tokio::spawn(connected(database.config())));
    let mut migrated = 0;
    for started in starting.collect::<Vec<_>>() {
        migrated += started.await.expect("it starts").migrated().len();
    }
    assert_eq!(
        i64::try_from(migrated).expect("a few"),
        crate::migrations("postgres"),
        "each migration ran once"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_never_meet_each_others_statements() {
    let Some(database) = Database::make().await else {
        return;
    };
    let replicas = [database.accounts().await, database.accounts().await];
    created(&replicas[0]).await;
    let calls = (0..40_u8).map(|number| {
        let accounts = replicas[usize::from(number % 2)].clone();
        tokio::spawn(async move {
            for _ in 0..5 {
                let found = accounts.find(user().id, session(1).id).await;
                assert!(found.expect("a read works").is_some());
                let known = accounts.credentials(user().id).await;
                assert!(known.expect("a read works").is_some());
                let begin = BeginSession {
                    session: session(number + 2),
                    former_devices: Vec::new(),
                    settled: session(1).began_at,
                    refreshed: Vec::new(),
                    idle: Duration::from_hours(24 * 90),
                    unless_factor: false,
                    max_live: 100,
                    max_ended: 100,
                    max_devices: 100,
                };
                // The second time the id is taken.
                if !matches!(
                    accounts.begin(&begin, &untold()).await,
                    Ok(BeginOutcome::Begun { .. })
                ) {
                    let live = accounts.live(user().id, session(1).began_at).await;
                    assert!(!live.expect("a read works").is_empty());
                }
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no call fails");
    }
    let left = admin(&database.pooled).await;
    for _ in 0..6 {
        let session = left
            .query_typed_one(
                "SELECT (SELECT count(*) FROM pg_prepared_statements) AS named, current_setting('statement_timeout') AS limit",
                &[],
            )
            .await
            .expect("the session answers");
        let state: (i64, &str) = (session.get("named"), session.get("limit"));
        assert_eq!(state, (0, "0"), "nothing is left in a session");
    }
}

#[tokio::test]
async fn a_call_that_waits_for_a_lock_gives_up_and_leaves_nothing() {
    let Some(database) = Database::make().await else {
        return;
    };
    created(&database.accounts().await).await;
    let config = PostgresConfig {
        timeout: Duration::from_secs(1),
        pool_size: 2,
        ..database.config()
    };
    let (accounts, mut look) = (connected(config).await, database.look().await);
    let watch = database.look().await;
    let tx = look.transaction().await.expect("a transaction begins");
    tx.batch_execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("the table can be locked");
    let id = user().id;
    let tell = untold();
    let ended = accounts.end_all(id, None, EndReason::SignedOut, session(1).began_at, &tell);
    let outcomes = [
        ended.await.err(),
        accounts.live(id, session(1).began_at).await.err(),
    ];
    for error in outcomes {
        let error = error.expect("the table is locked");
        assert_eq!(
            error.kind(),
            StoreErrorKind::Unavailable,
            "{}",
            told(&error)
        );
    }
    tokio::time::timeout(Duration::from_mins(1), async {
        while database.waiting(&watch).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the server gives up, too, although the lock is still held");
    tx.rollback().await.expect("the lock goes");
    let raised = database
        .accounts()
        .await
        .end_all(
            id,
            None,
            EndReason::SignedOut,
            session(1).began_at,
            &untold(),
        )
        .await;
    assert_eq!(raised.expect("it is free"), Some(Epoch::FIRST.next()));
}

#[tokio::test]
async fn a_call_that_is_dropped_does_not_leave_its_answer_to_the_next() {
    let Some(database) = Database::make().await else {
        return;
    };
    let config = PostgresConfig {
        pool_size: 1,
        ..database.config()
    };
    let (accounts, mut look) = (connected(config).await, database.look().await);
    created(&accounts).await;
    let watch = database.look().await;
    let tx = look.transaction().await.expect("a transaction begins");
    tx.batch_execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("the table can be locked");
    let reading = tokio::spawn({
        let accounts = accounts.clone();
        async move { accounts.find(user().id, session(1).id).await }
    });
    while database.waiting(&watch).await == 0 {
        assert!(!reading.is_finished(), "it needs the lock");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    reading.abort();
    assert!(reading.await.expect_err("it is dropped").is_cancelled());
    assert_eq!(accounts.pool().open, 0, "its connection is not used again");
    tx.rollback().await.expect("the lock goes");
    // None of these gets the other's answer.
    let reads = (0..4).map(|_| accounts.find(user().id, session(1).id));
    for found in join_all(reads).await {
        assert!(found.expect("it answers").is_some());
    }
}
