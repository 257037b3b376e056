//! What opening a file makes of its tables: after a first start that was cut off, and with what earlier releases stored.

use super::{
    given::{BeginLive, hash, live, session, told, user},
    subject::make,
};
use revolve_adapters::sqlite::{SqliteStore, inspect};
use revolve_domain::{
    model::{AuthMethods, EmailAddress, Generation, Session, User},
    ports::{AddOutcome, SessionRepository, TokenRepository, UserRepository},
    rotation::{DeviceProof, RetryPolicy, Rotation, RotationOutcome},
};
use revolve_testkit::untold;
use std::time::Duration;

#[tokio::test]
async fn a_first_start_that_was_cut_off_anywhere_can_be_repeated() {
    // The header of the log and of a frame, and a page, as SQLite's file format has them.
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let subject = make().await;
    let [file, log] = ["revolve.db", "revolve.db-wal"]
        .map(|name| std::fs::read(subject.dir.path().join(name)).expect("the file is there"));
    let frames = (log.len() - HEADER) / FRAME;
    assert!(
        frames > 4,
        "the tables are in the log, which has {frames} frames"
    );
    for frame in 0..=frames {
        let copy = tempfile::TempDir::new().expect("a directory can be made");
        std::fs::write(copy.path().join("revolve.db"), &file).expect("the copy can be written");
        std::fs::write(
            copy.path().join("revolve.db-wal"),
            &log[..HEADER + frame * FRAME],
        )
        .expect("the copy can be written");
        let store = SqliteStore::open(copy.path().join("revolve.db"), subject.clock.clone()).await;
        let store = store.unwrap_or_else(|error| {
            panic!("cut after frame {frame} of {frames}: {}", told(&error))
        });
        store.close().await;
    }
}

#[tokio::test]
async fn addresses_of_an_earlier_release_get_their_keys_and_those_that_collide_stay_usable() {
    let dir = tempfile::TempDir::new().expect("a directory can be made");
    let path = dir.path().join("revolve.db");
    let clock = std::sync::Arc::new(revolve_testkit::memory::FakeClock::default());
    let open = || SqliteStore::open(path.clone(), clock.clone());
    let store = open().await.expect("the store opens");
    for number in 1..=4 {
        store
            .add(&user(number), &hash(), &untold())
            .await
            .expect("it is added");
    }
    store.close().await;
    let file = rusqlite::Connection::open(&path).expect("the file opens");
    // As an earlier release stored them: two are alone, and two have one key.
    for (number, former) in [
        (1, "ann@bücher.example"),
        (2, "γς@example.org"),
        (3, "\"eve\"@example.org"),
        (4, "eve@example.org"),
    ] {
        let set = "UPDATE users SET email = ?2 WHERE email = ?1";
        let changed = file.execute(set, (format!("user{number}@example.org"), former));
        assert_eq!(changed.expect("it is changed"), 1);
    }
    drop(file);
    for _ in 0..2 {
        let store = open().await.expect("the store opens");
        for (number, spelling) in [
            (1, "ann@bücher.example"),
            (1, "ann@xn--bcher-kva.example"),
            (2, "γς@example.org"),
            (2, "ΓΣ@example.org"),
            (3, "\"Eve\"@example.org"),
            (4, "EVE@example.org"),
        ] {
            let email = EmailAddress::present(spelling).expect("an address");
            let found = store
                .credentials_by_email(&email, &[])
                .await
                .expect("it is read");
            assert_eq!(
                found.expect("it is found").user.id,
                user(number).id,
                "{spelling}"
            );
        }
        let kept = store
            .credentials(user(1).id)
            .await
            .expect("it is read")
            .expect("it is there");
        assert_eq!(
            (kept.user.email.as_str(), kept.user.email.key()),
            ("ann@bücher.example", "ann@xn--bcher-kva.example")
        );
        let again = User {
            email: EmailAddress::parse("ann@xn--bcher-kva.example").expect("an address"),
            ..user(5)
        };
        let added = store
            .add(&again, &hash(), &untold())
            .await
            .expect("it answers");
        assert_eq!(added, AddOutcome::EmailTaken);
        let facts = inspect(&path).await.expect("it is looked at");
        assert_eq!(facts.same_address, Some(vec![(user(3).id, user(4).id)]));
        store.close().await;
    }
}

#[tokio::test]
async fn a_session_of_an_earlier_release_was_begun_by_a_password() {
    let subject = make().await;
    let by_code = Session {
        authenticated_by: AuthMethods::CODE,
        ..session(&user(1), 1)
    };
    let created = subject
        .store
        .create(&user(1), &hash(), &by_code, &untold())
        .await;
    created.expect("create works");
    let row = async || {
        let found = SessionRepository::find(&subject.store, by_code.user, by_code.id).await;
        found.expect("find works").expect("it is there").session
    };
    assert_eq!(row().await.authenticated_by, AuthMethods::CODE);
    subject
        .look()
        .execute("UPDATE sessions SET amr = NULL", [])
        .expect("the column is there");
    assert_eq!(row().await.authenticated_by, AuthMethods::PASSWORD);
}

#[tokio::test]
async fn an_entry_from_before_the_migration_is_accepted_as_before() {
    let subject = make().await;
    let session = session(&user(1), 1);
    subject.store.begin_live(&session).await;
    let attempt = |presented, seconds| {
        let token = live(&session).token;
        Rotation {
            user: session.user,
            session: session.id,
            presented: Generation::new(presented).expect("a generation"),
            presented_issued_at: token.issued_at.plus(Duration::from_secs(seconds)),
            expired: false,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            epoch: session.epoch,
            device: DeviceProof {
                owner: session.device,
                shown: None,
                bound: false,
            },
            policy: RetryPolicy::default(),
        }
    };
    let rotate = async |rotation| subject.store.rotate(&rotation).await.expect("rotate works");
    rotate(attempt(1, 0)).await;
    subject
        .look()
        .execute("UPDATE white_list SET parent_iat = NULL", [])
        .expect("the column is there");
    assert!(matches!(
        rotate(attempt(1, 1)).await,
        RotationOutcome::Repeated { .. }
    ));
    assert!(matches!(
        rotate(attempt(2, 0)).await,
        RotationOutcome::Rotated(_)
    ));
    assert!(
        matches!(rotate(attempt(2, 1)).await, RotationOutcome::Reused { .. }),
        "from then on it is known"
    );
}
