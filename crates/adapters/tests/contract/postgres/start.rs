//! Which servers and databases the adapter starts with, and how replicas that start at once migrate a schema.

use super::{
    Schema,
    given::{created, session, told, user},
    schema::with,
};
use revolve_adapters::postgres::{PostgresAccounts, PostgresConfig, inspect};
use revolve_domain::{
    deliveries::Backlog,
    model::{AuthMethods, EmailAddress, PasswordHash, User, UserId},
    ports::{AddOutcome, SessionRepository, StoreErrorKind, UserRepository},
};
use revolve_testkit::untold;
use std::time::Duration;

#[tokio::test]
async fn replicas_may_start_at_once() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let starting: Vec<_> = (0..8)
        .map(|_| tokio::spawn(PostgresAccounts::connect(schema.config())))
        .collect();
    for started in starting {
        let accounts = started
            .await
            .expect("no panic")
            .expect("the adapter connects");
        accounts.ping().await.expect("the adapter answers");
        accounts.close();
    }
    schema
        .accounts()
        .await
        .ping()
        .await
        .expect("a second start is fine");
    let row = schema
        .look()
        .await
        .query_one("SELECT count(*) FROM refinery_schema_history", &[])
        .await
        .expect("the history is there");
    assert_eq!(
        row.get::<_, i64>(0),
        crate::migrations("postgres"),
        "each migration ran once, in the schema"
    );
}

#[tokio::test]
async fn migrations_that_were_cut_off_can_be_repeated() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    // As if somebody killed the service between a migration and the note that it was applied.
    let (look, table) = (schema.look().await, "refinery_schema_history");
    let columns = "version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255)";
    look.batch_execute(&format!(
        "CREATE TABLE {table} ({columns}, CONSTRAINT cut CHECK (version <> 2))"
    ))
    .await
    .expect("it can be made");
    PostgresAccounts::connect(schema.config())
        .await
        .map(drop)
        .expect_err("it is cut off");
    look.batch_execute(&format!("ALTER TABLE {table} DROP CONSTRAINT cut"))
        .await
        .expect("nothing is in its way any more");
    PostgresAccounts::connect(schema.config())
        .await
        .map(drop)
        .expect("the next start goes on");
}

#[tokio::test]
async fn whoever_reads_accounts_does_not_wait_for_an_update_of_the_journal() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    // As an earlier release left the tables.
    let (look, table) = (schema.look().await, "refinery_schema_history");
    let columns = "version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255)";
    look.batch_execute(&format!(
        "CREATE TABLE {table} ({columns}, CONSTRAINT earlier CHECK (version < 14))"
    ))
    .await
    .expect("it can be made");
    PostgresAccounts::connect(schema.config())
        .await
        .map(drop)
        .expect_err("it is cut off");
    look.batch_execute(&format!("ALTER TABLE {table} DROP CONSTRAINT earlier"))
        .await
        .expect("nothing is in its way any more");

    let writer = schema.look().await;
    writer
        .batch_execute("BEGIN; LOCK TABLE journal IN ROW EXCLUSIVE MODE")
        .await
        .expect("it is about to write an entry");
    let starting = tokio::spawn(PostgresAccounts::connect(schema.config()));
    let waits = async || {
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'journal'::regclass";
        let row = look.query_one(waiting, &[]).await;
        row.expect("the server tells").get::<_, i64>(0) == 1
    };
    while !waits().await {
        assert!(!starting.is_finished(), "it makes an index of the journal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    look.batch_execute("SET lock_timeout = 2000; SELECT FROM users")
        .await
        .expect("accounts are read meanwhile");
    writer.batch_execute("COMMIT").await.expect("it is written");
    starting
        .await
        .expect("no panic")
        .expect("the adapter connects");
}

#[tokio::test]
async fn the_servers_time_out_does_not_cut_migrations() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let look = schema.look().await;
    let lock = "hashtextextended('revolve migrations ' || current_schema(), 0)";
    look.batch_execute(&format!("SELECT pg_advisory_lock({lock})"))
        .await
        .expect("the lock is free");
    let config = PostgresConfig {
        timeout: Duration::from_secs(2),
        ..schema.config()
    };
    let cut_after = config.timeout * 2;
    let starting = tokio::spawn(PostgresAccounts::connect(config));
    let waits = async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'advisory'";
        let row = look.query_one(waiting, &[&schema.name]).await;
        row.expect("the server tells").get::<_, i64>(0) == 1
    };
    while !waits().await {
        assert!(!starting.is_finished(), "it needs the lock");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(cut_after).await;
    assert!(
        waits().await && !starting.is_finished(),
        "it waits for the other replica for longer than its time-out"
    );
    look.batch_execute(&format!("SELECT pg_advisory_unlock({lock})"))
        .await
        .expect("the lock is ours");
    starting
        .await
        .expect("no panic")
        .expect("the adapter connects");
}

#[tokio::test]
async fn only_a_server_that_takes_writes_will_do_whatever_the_url_asks_for() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    schema.accounts().await;
    let asking = format!("{}&target_session_attrs=read-only", schema.url());
    let connect = |url: String| {
        PostgresAccounts::connect(PostgresConfig {
            url: url.into(),
            ..schema.config()
        })
    };
    created(&connect(asking.clone()).await.expect("it takes writes")).await;
    // As a standby is, whose tables are up to date.
    let error = connect(asking.replace(
        "options=",
        "options=-cdefault_transaction_read_only%3Don%20",
    ))
    .await
    .err()
    .expect("it takes none");
    assert_eq!(
        error.kind(),
        StoreErrorKind::Unavailable,
        "{}",
        told(&error)
    );
}

/// Its first name with an `ł` would be a failure.
#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused_at_the_start() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (admin, name) = (schema.look().await, schema.name.as_str());
    for encoding in ["LATIN1", "SQL_ASCII"] {
        admin
            .batch_execute(&format!(
                "CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            ))
            .await
            .unwrap();
        let url = with(&schema.url(), &format!("dbname={name}"));
        let config = PostgresConfig {
            timeout: Duration::from_secs(10),
            ..PostgresConfig::new(url.into())
        };
        let refused = PostgresAccounts::connect(config).await;
        admin
            .batch_execute(&format!("DROP DATABASE {name} (FORCE)"))
            .await
            .unwrap();
        let Err(error) = refused else {
            panic!("{encoding} is refused");
        };
        assert_eq!(error.kind(), StoreErrorKind::Broken);
        let said = told(&error);
        assert!(
            said.contains(encoding) && said.contains("--encoding=UTF8"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_session_of_an_earlier_release_was_begun_by_a_password() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (store, look) = (schema.accounts().await, schema.look().await);
    created(&store).await;
    let row = async || {
        let id = session(1).id;
        let found = SessionRepository::find(&store, user().id, id).await;
        found.expect("find works").expect("it is there").session
    };
    for (stored, expected) in [
        ("'otp'", AuthMethods::CODE),
        ("NULL", AuthMethods::PASSWORD),
    ] {
        look.batch_execute(&format!("UPDATE sessions SET amr = {stored}"))
            .await
            .expect("the column is there");
        assert_eq!(row().await.authenticated_by, expected, "{stored}");
    }
}

#[tokio::test]
async fn addresses_of_an_earlier_release_get_their_keys_and_are_found_meanwhile() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let of = |number: u8| User {
        id: UserId::from_random([number; 16]),
        email: EmailAddress::parse(&format!("user{number}@example.org")).expect("an address"),
        ..user()
    };
    let (store, look) = (schema.accounts().await, schema.look().await);
    let hash = PasswordHash::from_phc("$test$v=1$hash".to_owned());
    for (number, former) in [
        (1, "ann@bücher.example"),
        (2, "γς@example.org"),
        (3, "\"eve\"@example.org"),
        (4, "eve@example.org"),
    ] {
        let added = store.add(&of(number), &hash, &untold()).await;
        assert_eq!(added.expect("add works"), AddOutcome::Added);
        let set =
            format!("UPDATE users SET email = '{former}' WHERE email = 'user{number}@example.org'");
        look.batch_execute(&set).await.expect("it is changed");
    }
    let all_are_found = async |store: &PostgresAccounts| {
        for (number, spelling) in [
            (1, "ann@bücher.example"),
            (2, "γς@example.org"),
            (3, "\"Eve\"@example.org"),
            (4, "EVE@example.org"),
        ] {
            let email = EmailAddress::present(spelling).expect("an address");
            let found = store.credentials_by_email(&email, &[]).await;
            let found = found.expect("it is read").expect("it is found");
            assert_eq!(found.user.id, of(number).id, "{spelling}");
        }
    };

    look.batch_execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("it is locked");
    let meanwhile = schema.accounts().await;
    look.batch_execute("COMMIT").await.expect("it is free");
    all_are_found(&meanwhile).await;
    let keyed = async || {
        let rows = look
            .query("SELECT 1 FROM users WHERE email_typed IS NOT NULL", &[])
            .await;
        rows.expect("it is read").len()
    };
    assert_eq!(keyed().await, 0, "a start does not wait for the lock");

    for _ in 0..2 {
        let store = schema.accounts().await;
        assert_eq!(keyed().await, 2, "but for the one whose key is another's");
        all_are_found(&store).await;
        let other = User {
            email: EmailAddress::parse("ann@xn--bcher-kva.example").expect("an address"),
            ..of(5)
        };
        let added = store.add(&other, &hash, &untold()).await;
        assert_eq!(added.expect("it answers"), AddOutcome::EmailTaken);
    }
    let (facts, ()) = inspect(&schema.config(), || ()).await.expect("it is read");
    assert_eq!(facts.same_address, Some(vec![(of(3).id, of(4).id)]));
    assert_eq!(facts.ended_last_hour, Some(0));
    assert_eq!(facts.backlog, Some(Backlog::default()));
}
