//! Creation of accounts by sign-up.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at},
        given::{app, at_once, email, hash, label, roles, session, session_id, user, user_id},
    },
    untold,
};
use revolve_domain::{
    model::{AccountVersion, ClientInfo, Details, Epoch, Session, Timestamp, User, WebUrl},
    ports::CreateOutcome,
};

/// An account and its first session are stored unchanged, with any values, and found by address and by id.
pub async fn an_account_reads_back_as_created(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let url = |text| WebUrl::parse(text).expect("a URL");
    let plain = user();
    let full = User {
        details: Details {
            name: Some(label("Änn \"O'Neil\" 🦀")),
            website: Some(url("https://example.org/ann?a=%27b%27")),
            image_url: Some(url("https://example.org/ann.png")),
            locale: Some("de-CH".parse().expect("a language tag")),
        },
        email_verified_at: Some(Timestamp::from_millis(1_900_000_001_007)),
        created_at: Timestamp::from_millis(1_900_000_000_123),
        epoch: Epoch::new(7),
        kept_session: Some(session_id()),
        roles: roles(&["admin", "billing:read"]),
        app: app(r#"{ "plan": "pro", "seats": [1, 2.5, null, "ä\u0000\"🦀"] }"#),
        version: AccountVersion::MAX,
        ..user()
    };
    for user in [plain, full] {
        let first = session(&user, 3);
        assert_eq!(
            accounts.create(&user, &first).await,
            CreateOutcome::Created,
            "a fresh address is free"
        );
        let by_email = accounts
            .users
            .credentials_by_email(&user.email, &[])
            .await
            .expect("credentials_by_email works");
        let by_email = by_email.expect("the account is found by its address");
        assert_eq!(by_email.user, user, "the account, found by its address");
        assert_eq!(
            by_email.hash.expose(),
            "$test$v=1$first",
            "the hash, found by address"
        );
        assert_eq!(
            accounts.account(user.id).await,
            Some(user.clone()),
            "the account, found by its id"
        );
        assert_eq!(
            accounts.hash(user.id).await,
            "$test$v=1$first",
            "the hash, found by id"
        );
        let record = accounts
            .find(user.id, first.id)
            .await
            .expect("the first session is there");
        assert_eq!(
            (record.session, record.user),
            (first, Some(user)),
            "the first session and its user"
        );
    }
}

/// An unknown address and an unknown id have no account.
pub async fn nobody_has_a_strange_address(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    assert!(
        accounts
            .users
            .credentials_by_email(&email(), &[])
            .await
            .expect("credentials_by_email works")
            .is_none(),
        "an unused address"
    );
    assert!(
        accounts
            .users
            .credentials(user_id())
            .await
            .expect("credentials works")
            .is_none(),
        "an unused id"
    );
}

/// The device of a sign-up is known from then on; an address without an account knows no device.
pub async fn the_device_of_a_sign_up_is_known(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (ann, first) = accounts.signed_up().await;
    assert!(
        accounts.knows(&ann, first.device).await,
        "the device of the sign-up"
    );
    let nobody = accounts
        .users
        .credentials_by_email(&email(), &[first.device])
        .await
        .expect("credentials_by_email works");
    assert!(nobody.is_none(), "a device does not make an account");
    let second = User {
        email: ann.email.clone(),
        ..user()
    };
    let refused = session(&second, 60);
    assert_eq!(
        accounts.create(&second, &refused).await,
        CreateOutcome::EmailTaken,
        "the address is taken"
    );
    assert!(
        !accounts.knows(&ann, refused.device).await,
        "a sign-up that was refused makes nothing known"
    );
    let without = accounts
        .users
        .credentials_by_email(&ann.email, &[])
        .await
        .expect("credentials_by_email works");
    assert!(
        without
            .expect("the account is there")
            .known_device
            .is_none(),
        "no device, none known"
    );
}

/// A second sign-up with the same address changes nothing, neither the account nor the sessions.
pub async fn a_taken_address_changes_nothing(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (first, first_session) = accounts.signed_up().await;
    let second = User {
        email: first.email.clone(),
        ..user()
    };
    let second_session = session(&second, 60);
    let outcome = accounts
        .users
        .create(&second, &hash("second"), &second_session, &untold())
        .await
        .expect("create works");
    assert_eq!(outcome, CreateOutcome::EmailTaken, "the address is taken");
    assert_eq!(
        accounts.account(first.id).await,
        Some(first.clone()),
        "the first account is as it was"
    );
    assert_eq!(
        accounts.hash(first.id).await,
        "$test$v=1$first",
        "its hash, too"
    );
    assert_eq!(
        accounts.live(first.id, at(60)).await,
        [first_session.id],
        "and its session"
    );
    assert_eq!(
        accounts.account(second.id).await,
        None,
        "there is no second account"
    );
    assert_eq!(
        accounts.find(second.id, second_session.id).await,
        None,
        "and no session of it"
    );
}

/// Of a hundred sign-ups with one address, one creates an account and all others get `EmailTaken`.
pub async fn parallel_creates_of_one_address_make_one_account(subject: &dyn AccountsSubject) {
    let email = email();
    let outcomes = at_once((0..100).map(|after| {
        let (users, user) = (
            subject.users(),
            User {
                email: email.clone(),
                ..user()
            },
        );
        let session = Session {
            client: ClientInfo::default(),
            ..session(&user, after)
        };
        async move {
            (
                user.id,
                users
                    .create(&user, &hash("one of many"), &session, &untold())
                    .await
                    .expect("create works"),
            )
        }
    }))
    .await;
    let created: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == CreateOutcome::Created)
        .collect();
    assert_eq!(created.len(), 1, "exactly one of them creates the account");
    let found = subject
        .users()
        .credentials_by_email(&email, &[])
        .await
        .expect("credentials_by_email works")
        .expect("the account is there");
    assert_eq!(
        found.user.id, created[0].0,
        "the account is the one that was acknowledged"
    );
}

/// A hash is replaced only while it is the one that was read.
pub async fn a_hash_is_replaced_only_while_it_is_the_old_one(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let (other, _) = accounts.signed_up().await;
    accounts
        .users
        .rehash(user.id, &hash("other"), &hash("wrong"))
        .await
        .expect("rehash works");
    assert_eq!(
        accounts.hash(user.id).await,
        "$test$v=1$first",
        "another hash than the stored one changes nothing"
    );
    accounts
        .users
        .rehash(user.id, &hash("first"), &hash("second"))
        .await
        .expect("rehash works");
    assert_eq!(
        accounts.hash(user.id).await,
        "$test$v=1$second",
        "the stored hash is replaced"
    );
    accounts
        .users
        .rehash(user.id, &hash("first"), &hash("third"))
        .await
        .expect("rehash works");
    assert_eq!(
        accounts.hash(user.id).await,
        "$test$v=1$second",
        "once it is replaced, the old one counts no more"
    );
    assert_eq!(
        accounts.hash(other.id).await,
        "$test$v=1$first",
        "another account's hash is as it was"
    );
    assert_eq!(
        accounts.account(user.id).await,
        Some(user),
        "nothing else changed"
    );
    accounts
        .users
        .rehash(user_id(), &hash("first"), &hash("second"))
        .await
        .expect("rehash of nobody works");
}

/// `ping` succeeds while the store works.
pub async fn the_user_database_answers(subject: &dyn AccountsSubject) {
    subject
        .users()
        .ping()
        .await
        .expect("a store that works answers");
}
