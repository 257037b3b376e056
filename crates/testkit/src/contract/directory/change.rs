//! Operators' changes of what an account shows.

use crate::{
    contract::{
        DirectorySubject,
        accounts::{Accounts, at, everything_since},
        given::{app, at_once, email, full_app, label, random, roles, user_id},
    },
    untold,
};
use revolve_domain::{
    journal::{Actor, Tell},
    model::{
        AccountChange, AccountVersion, DetailsChange, EventId, Roles, Timestamp, User, UserId,
    },
    ports::{ChangeOutcome, JournalQuery, OperatorChange, SecurityEvent},
    revocations::{CommitSnapshot, OutdatedTokens, RevocationQuery},
};

fn to_roles(names: &[&str]) -> AccountChange {
    AccountChange {
        roles: Some(roles(names)),
        ..AccountChange::default()
    }
}

fn to_details(details: DetailsChange) -> AccountChange {
    AccountChange {
        details,
        ..AccountChange::default()
    }
}

fn everything() -> AccountChange {
    AccountChange {
        details: DetailsChange {
            name: Some(Some(label("Ann"))),
            website: Some(None),
            image_url: Some(None),
            locale: Some(Some("de-CH".parse().expect("a language tag"))),
            email: Some(email()),
        },
        email_verified: Some(true),
        roles: Some(roles(&["admin", "billing:read"])),
        app: Some(app(r#"{ "plan": "pro", "odd": "\u0000" }"#)),
    }
}

async fn change(
    subject: &dyn DirectorySubject,
    user: UserId,
    change: &AccountChange,
    expected: Option<AccountVersion>,
    after: u64,
) -> ChangeOutcome {
    let change = OperatorChange {
        user,
        change: change.clone(),
        expected,
        at: at(after),
    };
    let changed = subject.directory().change(&change, &untold()).await;
    changed.expect("change works")
}

/// Asserts that the change has the effect of the model, in the answer and in the store.
async fn assert_changes(
    subject: &dyn DirectorySubject,
    before: &User,
    wanted: &AccountChange,
    after: u64,
) -> User {
    let expected = wanted.clone().apply(before.clone(), at(after));
    let outcome = change(subject, before.id, wanted, Some(before.version), after).await;
    let changed = ChangeOutcome::Changed {
        before: before.clone(),
        after: expected.clone(),
    };
    assert_eq!(outcome, changed, "after {wanted:?}");
    let stored = Accounts::new(subject).account(before.id).await;
    assert_eq!(stored, Some(expected.clone()), "stored after {wanted:?}");
    expected
}

/// What the revocations say of the account, since [`START`](crate::contract::given::START) or as what a snapshot did not see.
async fn outdated(
    accounts: &Accounts,
    user: UserId,
    seen: Option<&CommitSnapshot>,
    since: Timestamp,
) -> (CommitSnapshot, Vec<OutdatedTokens>) {
    let query = RevocationQuery {
        unseen_by: seen.cloned(),
        ..everything_since(since)
    };
    let read = accounts.sessions.revoked(&query).await;
    let read = read.expect("revoked works");
    let of_user = read.outdated.into_iter();
    let of_user = of_user.filter(|tokens| tokens.user == user).collect();
    (read.snapshot, of_user)
}

/// Every field is stored, the others stay, and so do password and sessions.
pub async fn a_change_reads_back(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, session) = accounts.signed_up().await;
    let full = assert_changes(subject, &user, &everything(), 60).await;
    let by_email = accounts.users.credentials_by_email(&full.email, &[]).await;
    let by_email = by_email.expect("credentials_by_email works");
    assert_eq!(by_email.map(|found| found.user), Some(full.clone()));
    let record = accounts.find(user.id, session.id).await;
    assert_eq!(record.and_then(|record| record.user), Some(full.clone()));
    for (number, one) in [
        to_roles(&[]),
        AccountChange {
            app: Some(full_app()),
            ..AccountChange::default()
        },
        AccountChange {
            app: Some(app("{}")),
            ..AccountChange::default()
        },
        AccountChange {
            email_verified: Some(false),
            ..AccountChange::default()
        },
        to_details(DetailsChange {
            locale: Some(None),
            ..DetailsChange::default()
        }),
    ]
    .iter()
    .enumerate()
    {
        let before = accounts.account(user.id).await.expect("it is there");
        assert_changes(subject, &before, one, 70 + number as u64).await;
    }
    assert_eq!(accounts.hash(user.id).await, "$test$v=1$first");
    assert_eq!(accounts.live(user.id, at(80)).await, [session.id]);
}

/// A clock that is behind makes the version rise all the same.
pub async fn a_version_rises_with_each_change(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    for (names, after) in [(&["a"], 60), (&["b"], 60), (&["c"], 0)] {
        let before = user.version;
        user = assert_changes(subject, &user, &to_roles(names), after).await;
        assert!(before < user.version);
    }
    let change = DetailsChange {
        name: Some(Some(label("Ann"))),
        ..DetailsChange::default()
    };
    let tell = untold();
    let updated = accounts.users.update(user.id, &change, None, at(0), &tell);
    updated.await.expect("update works");
    let now = accounts.account(user.id).await.expect("it is there");
    assert_eq!(now.version, user.version.next(at(0)), "by its owner, too");
}

/// Nothing changes where the account has another version.
pub async fn a_change_needs_the_version_that_it_expects(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let now = assert_changes(subject, &user, &to_roles(&["a"]), 60).await;
    for expected in [user.version, now.version.next(at(90))] {
        let outcome = change(subject, user.id, &to_roles(&["b"]), Some(expected), 70).await;
        assert_eq!(outcome, ChangeOutcome::VersionMismatch(now.version));
    }
    assert_eq!(accounts.account(user.id).await, Some(now));
    let any = change(subject, user.id, &to_roles(&["b"]), None, 70).await;
    assert!(matches!(any, ChangeOutcome::Changed { .. }), "{any:?}");
}

/// Of many that expect one version.
pub async fn parallel_changes_of_one_version_succeed_once(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    for round in 0..5_u64 {
        let calls = (0..8).map(|number| {
            let directory = subject.directory();
            let wanted = OperatorChange {
                user: user.id,
                change: to_roles(&[&format!("r{round}.{number}")]),
                expected: Some(user.version),
                at: at(60 + round),
            };
            async move { directory.change(&wanted, &untold()).await }
        });
        let outcomes = at_once(calls).await;
        let outcomes: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| outcome.expect("change works"))
            .collect();
        let changed: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                ChangeOutcome::Changed { after, .. } => Some(after.clone()),
                _ => None,
            })
            .collect();
        let [changed] = &changed[..] else {
            panic!("one succeeds, got {outcomes:?}");
        };
        let refused = ChangeOutcome::VersionMismatch(changed.version);
        let others = outcomes.iter().filter(|outcome| **outcome == refused);
        assert_eq!(others.count(), 7, "{outcomes:?}");
        assert_eq!(accounts.account(user.id).await.as_ref(), Some(changed));
        user = changed.clone();
    }
}

/// A taken address refuses the whole change, an unknown account any.
pub async fn an_operators_change_to_a_taken_address_changes_nothing(
    subject: &dyn DirectorySubject,
) {
    let accounts = Accounts::new(subject);
    let ((ann, _), (bob, _)) = (accounts.signed_up().await, accounts.signed_up().await);
    let mut wanted = everything();
    wanted.details.email = Some(bob.email.clone());
    let outcome = change(subject, ann.id, &wanted, None, 60).await;
    assert_eq!(outcome, ChangeOutcome::EmailTaken);
    assert_eq!(accounts.account(ann.id).await, Some(ann.clone()));
    assert_eq!(accounts.account(bob.id).await, Some(bob));
    assert_eq!(outdated(&accounts, ann.id, None, at(0)).await.1, []);
    wanted.details.email = Some(ann.email.clone());
    assert_changes(subject, &ann, &wanted, 60).await;
    let nobody = change(subject, user_id(), &to_roles(&["a"]), None, 60).await;
    assert_eq!(nobody, ChangeOutcome::NotFound);
}

/// What is so already is no change.
pub async fn a_change_of_nothing_leaves_the_version(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let user = assert_changes(subject, &user, &to_roles(&["a"]), 60).await;
    for same in [
        AccountChange::default(),
        to_roles(&["a"]),
        to_details(DetailsChange {
            email: Some(user.email.clone()),
            name: Some(None),
            ..DetailsChange::default()
        }),
    ] {
        let outcome = change(subject, user.id, &same, Some(user.version), 70).await;
        assert_eq!(outcome, ChangeOutcome::Unchanged(user.clone()));
        assert_eq!(accounts.account(user.id).await, Some(user.clone()));
    }
    let (_, outdated) = outdated(&accounts, user.id, None, at(61)).await;
    assert_eq!(outdated, [], "only the first change has");
}

/// Roles, app data, address and verification outdate the tokens of before; name, links and language don't.
pub async fn a_change_of_what_services_decide_by_outdates_tokens(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    let name = to_details(DetailsChange {
        name: Some(Some(label("Ann"))),
        ..DetailsChange::default()
    });
    user = assert_changes(subject, &user, &name, 59).await;
    assert_eq!(outdated(&accounts, user.id, None, at(0)).await.1, []);
    let changes = [
        to_roles(&["a"]),
        AccountChange {
            app: Some(app(r#"{ "plan": "pro" }"#)),
            ..AccountChange::default()
        },
        AccountChange {
            email_verified: Some(true),
            ..AccountChange::default()
        },
        to_details(DetailsChange {
            email: Some(email()),
            ..DetailsChange::default()
        }),
        to_roles(&[]),
    ];
    for (wanted, after) in changes.iter().zip(60..) {
        user = assert_changes(subject, &user, wanted, after).await;
        for since in [at(0), at(after)] {
            let (snapshot, found) = outdated(&accounts, user.id, None, since).await;
            let [tokens] = found[..] else {
                panic!("the account is named once after {wanted:?}: {found:?}");
            };
            assert_eq!((tokens.before, tokens.at), (user.version, at(after)));
            assert!(snapshot.saw(tokens.commit), "{tokens:?} by {snapshot:?}");
        }
        let later = Timestamp::from_millis(at(after).as_millis() + 1);
        assert_eq!(outdated(&accounts, user.id, None, later).await.1, []);
    }
    // Neither the owner's changes nor another of the name tell anything new.
    let (_, before) = outdated(&accounts, user.id, None, at(0)).await;
    let own = DetailsChange {
        email: Some(email()),
        ..DetailsChange::default()
    };
    let updated = accounts
        .users
        .update(user.id, &own, None, at(80), &untold())
        .await;
    updated.expect("update works");
    let name = to_details(DetailsChange {
        name: Some(None),
        ..DetailsChange::default()
    });
    change(subject, user.id, &name, None, 81).await;
    assert_eq!(outdated(&accounts, user.id, None, at(0)).await.1, before);
    let tell = untold();
    let deleted = accounts.users.delete(user.id, None, at(90), &tell);
    deleted.await.expect("delete works");
    assert_eq!(outdated(&accounts, user.id, None, at(0)).await.1, []);
}

/// A read that goes on from another one has what that did not see, and only that.
pub async fn a_read_goes_on_to_what_was_outdated_since(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    let (mut seen, none) = outdated(&accounts, user.id, None, at(0)).await;
    assert_eq!(none, []);
    for (names, after) in [(&["a"], 60), (&["b"], 61)] {
        user = assert_changes(subject, &user, &to_roles(names), after).await;
        let (snapshot, found) = outdated(&accounts, user.id, Some(&seen), at(0)).await;
        let [tokens] = found[..] else {
            panic!("the account is named once: {found:?}");
        };
        assert_eq!((tokens.before, tokens.at), (user.version, at(after)));
        assert!(snapshot.saw(tokens.commit) && !seen.saw(tokens.commit));
        seen = snapshot;
        let (_, again) = outdated(&accounts, user.id, Some(&seen), at(0)).await;
        assert_eq!(again, [], "it was seen");
    }
}

/// In its commit, with what the account was and is.
pub async fn a_change_tells(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let told = |outcome: &ChangeOutcome| match outcome {
        ChangeOutcome::Changed { before, after } => {
            assert_eq!(before.roles, Roles::default());
            assert_eq!(after.roles, roles(&["a"]));
            vec![SecurityEvent::AccountEnabled { user: after.id }]
        }
        _ => Vec::new(),
    };
    let wanted = OperatorChange {
        user: user.id,
        change: to_roles(&["a"]),
        expected: Some(user.version),
        at: at(60),
    };
    for _ in 0..2 {
        let id = EventId::from_random(random());
        let tell = Tell::new(id, at(60), Actor::Operator, told);
        let changed = subject.directory().change(&wanted, &tell).await;
        changed.expect("change works");
    }
    let query = JournalQuery {
        user: Some(user.id),
        limit: 100,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    let names: Vec<_> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(names, ["account.enabled"], "the second changed nothing");
}
