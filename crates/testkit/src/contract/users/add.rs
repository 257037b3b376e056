//! Accounts that are added without a session.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at},
        given::{app, at_once, email, hash, label, roles, session, user},
    },
    untold,
};
use revolve_domain::{
    model::{Details, DetailsChange, EmailAddress, Timestamp, User, WebUrl},
    ports::{AddOutcome, BeginOutcome, CreateOutcome, UpdateOutcome},
};

async fn add(accounts: &Accounts, user: &User) -> AddOutcome {
    accounts
        .users
        .add(user, &hash("first"), &untold())
        .await
        .expect("add works")
}

/// An account is stored unchanged, without any session, and its user can sign in unless it is disabled.
pub async fn an_account_is_added_without_a_session(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let url = |text| WebUrl::parse(text).expect("a URL");
    let details = Details {
        name: Some(label("Änn \"O'Neil\" 🦀")),
        website: Some(url("https://example.org/ann?a=%27b%27")),
        image_url: Some(url("https://example.org/ann.png")),
        locale: Some("de-CH".parse().expect("a language tag")),
    };
    let full = User {
        details,
        email_verified_at: Some(at(6)),
        created_at: Timestamp::from_millis(1_000_000_000_123),
        disabled_at: Some(at(7)),
        roles: roles(&["admin"]),
        app: app(r#"{ "plan": "pro" }"#),
        ..user()
    };
    for user in [user(), full] {
        assert_eq!(
            add(&accounts, &user).await,
            AddOutcome::Added,
            "fresh address, fresh id"
        );
        let by_email = accounts
            .users
            .credentials_by_email(&user.email, &[])
            .await
            .expect("credentials_by_email works");
        assert_eq!(
            by_email.map(|found| found.user),
            Some(user.clone()),
            "the account, found by its address"
        );
        assert_eq!(
            accounts.account(user.id).await,
            Some(user.clone()),
            "the account, found by its id"
        );
        assert_eq!(accounts.hash(user.id).await, "$test$v=1$first", "its hash");
        assert!(
            accounts.live(user.id, at(60)).await.is_empty(),
            "no session"
        );
        let begun = accounts.begin(&session(&user, 60)).await;
        assert_eq!(
            matches!(begun, BeginOutcome::Begun { .. }),
            user.disabled_at.is_none(),
            "only who is not disabled signs in: {begun:?}"
        );
    }
}

/// A taken address or id changes nothing of the account that has it.
pub async fn an_added_account_takes_no_address_and_no_id(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (ann, first) = accounts.signed_up().await;
    let same_address = User {
        email: ann.email.clone(),
        ..user()
    };
    let same_id = User {
        id: ann.id,
        ..user()
    };
    let both = User {
        details: Details {
            name: Some(label("Bob")),
            ..Details::default()
        },
        ..ann.clone()
    };
    let outcome = async |user: &User| {
        accounts
            .users
            .add(user, &hash("second"), &untold())
            .await
            .expect("add works")
    };
    assert_eq!(
        outcome(&same_address).await,
        AddOutcome::EmailTaken,
        "the address is taken"
    );
    assert_eq!(
        outcome(&same_id).await,
        AddOutcome::IdTaken,
        "the id is taken"
    );
    assert_ne!(outcome(&both).await, AddOutcome::Added, "both are taken");
    assert_eq!(
        accounts.account(ann.id).await,
        Some(ann.clone()),
        "the account is as it was"
    );
    assert_eq!(
        accounts.hash(ann.id).await,
        "$test$v=1$first",
        "its hash, too"
    );
    assert_eq!(
        accounts.live(ann.id, at(60)).await,
        [first.id],
        "and its session"
    );
    assert_eq!(
        accounts.account(same_address.id).await,
        None,
        "there is no second account"
    );
    let found = accounts
        .users
        .credentials_by_email(&same_id.email, &[])
        .await
        .expect("credentials_by_email works");
    assert!(found.is_none(), "nor one with the other address");
}

/// Of two accounts of an earlier release that share a key each is found as it signed up: the one that is stored under an address's former
/// form before the one under its key. Without the former, the address is that of the latter.
pub async fn an_address_is_found_under_its_former_form_first(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let fresh = email();
    let (local, _) = fresh.as_str().split_once('@').expect("an address");
    // Keyed first: a store that gives addresses their keys at a start finds this one taken.
    let [keyed, former] = ["strasse@example.org", "straße@example.org"].map(|text| User {
        email: EmailAddress::stored(&format!("{local}{text}"), None).expect("an address"),
        ..user()
    });
    let assert_found = async |text: &str, expected: &User| {
        let typed = EmailAddress::parse(&format!("{local}{text}")).expect("an address");
        let found = accounts.users.credentials_by_email(&typed, &[]).await;
        let found = found.expect("credentials_by_email works");
        assert_eq!(
            found.map(|found| found.user.id),
            Some(expected.id),
            "{text}"
        );
    };
    assert_eq!(add(&accounts, &keyed).await, AddOutcome::Added);
    for text in ["straße@example.org", "STRASSE@Example.ORG"] {
        assert_found(text, &keyed).await;
    }
    assert_eq!(add(&accounts, &former).await, AddOutcome::Added);
    for (text, expected) in [
        ("straße@example.org", &former),
        ("STRAßE@Example.ORG", &former),
        ("strasse@example.org", &keyed),
        ("STRASSE@Example.ORG", &keyed),
        ("ｓtrasse@example.org", &keyed),
    ] {
        assert_found(text, expected).await;
    }
}

/// An account of an earlier release is stored under the former form of an address: that is one mailbox, and another account with its key would
/// not be found by it.
pub async fn an_address_is_taken_by_its_former_form(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let fresh = email();
    let (local, _) = fresh.as_str().split_once('@').expect("an address");
    // Keyed first: a store that gives addresses their keys at a start finds this one taken.
    let [keyed, former] = ["strasse@example.org", "straße@example.org"].map(|text| User {
        email: EmailAddress::stored(&format!("{local}{text}"), None).expect("an address"),
        ..user()
    });
    for user in [&keyed, &former] {
        assert_eq!(add(&accounts, user).await, AddOutcome::Added);
    }
    let freed = DetailsChange {
        email: Some(email()),
        ..DetailsChange::default()
    };
    let users = &accounts.users;
    let freed = users.update(keyed.id, &freed, None, at(1), &untold()).await;
    assert!(matches!(freed, Ok(UpdateOutcome::Updated(_))), "{freed:?}");

    let email = EmailAddress::parse(&format!("{local}straße@example.org")).expect("an address");
    let same = User {
        email: email.clone(),
        ..user()
    };
    assert_eq!(add(&accounts, &same).await, AddOutcome::EmailTaken);
    let first = session(&same, 0);
    assert_eq!(
        accounts.create(&same, &first).await,
        CreateOutcome::EmailTaken
    );
    let change = DetailsChange {
        email: Some(email),
        ..DetailsChange::default()
    };
    let changed = users
        .update(keyed.id, &change, None, at(2), &untold())
        .await;
    assert!(
        matches!(changed, Ok(UpdateOutcome::EmailTaken)),
        "{changed:?}"
    );
    assert_eq!(accounts.account(same.id).await, None);
    let own = DetailsChange {
        name: Some(Some(label("Ann"))),
        ..DetailsChange::default()
    };
    let named = users.update(former.id, &own, None, at(3), &untold()).await;
    assert!(matches!(named, Ok(UpdateOutcome::Updated(_))), "{named:?}");
}

/// Of many concurrent calls with one address, one adds the account and all others get `EmailTaken`.
pub async fn parallel_adds_of_one_address_make_one_account(subject: &dyn AccountsSubject) {
    let email = email();
    let outcomes = at_once((0..100).map(|_| {
        let (users, user) = (
            subject.users(),
            User {
                email: email.clone(),
                ..user()
            },
        );
        async move {
            (
                user.id,
                users
                    .add(&user, &hash("one of many"), &untold())
                    .await
                    .expect("add works"),
            )
        }
    }))
    .await;
    let added: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == AddOutcome::Added)
        .collect();
    assert_eq!(added.len(), 1, "exactly one of them is added");
    assert!(
        outcomes
            .iter()
            .all(|(_, outcome)| *outcome != AddOutcome::IdTaken),
        "no id is taken"
    );
    let found = subject
        .users()
        .credentials_by_email(&email, &[])
        .await
        .expect("credentials_by_email works")
        .expect("the account is there");
    assert_eq!(
        found.user.id, added[0].0,
        "the account is the one that was acknowledged"
    );
}
