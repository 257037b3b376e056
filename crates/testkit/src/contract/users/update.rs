//! Changes of details.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at},
        given::{BoxedCall, at_once, email, hash, label, user_id},
    },
    untold,
};
use revolve_domain::{
    model::{DetailsChange, EmailAddress, EndReason, Epoch, Session, Timestamp, User, WebUrl},
    ports::{Asking, CreateOutcome, PasswordChange, PasswordOutcome, UpdateOutcome},
};

fn url(text: &str) -> WebUrl {
    WebUrl::parse(text).expect("a URL")
}

fn all_details() -> DetailsChange {
    DetailsChange {
        name: Some(Some(label("Ann"))),
        website: Some(Some(url("https://example.org/ann"))),
        image_url: Some(Some(url("https://example.org/ann.png"))),
        locale: Some(Some("de".parse().expect("a language tag"))),
        email: None,
    }
}

fn to_email(email: &EmailAddress) -> DetailsChange {
    DetailsChange {
        email: Some(email.clone()),
        ..DetailsChange::default()
    }
}

async fn update(accounts: &Accounts, user: &User, change: &DetailsChange) -> UpdateOutcome {
    accounts
        .users
        .update(user.id, change, None, at(60), &untold())
        .await
        .expect("update works")
}

/// Asserts that the change has the effect of the model, in the answer and in the store.
async fn assert_updates(accounts: &Accounts, user: &User, change: DetailsChange) -> User {
    let expected = change.clone().apply(user.clone(), at(60));
    assert_eq!(
        update(accounts, user, &change).await,
        UpdateOutcome::Updated(expected.clone()),
        "the account after {change:?}"
    );
    assert_eq!(
        accounts.account(user.id).await,
        Some(expected.clone()),
        "the stored account after {change:?}"
    );
    expected
}

/// Fields that a change does not name stay as they are.
pub async fn an_update_changes_only_what_it_names(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    user = assert_updates(&accounts, &user, all_details()).await;
    user = assert_updates(
        &accounts,
        &user,
        DetailsChange {
            name: Some(Some(label("Bob"))),
            ..DetailsChange::default()
        },
    )
    .await;
    user = assert_updates(&accounts, &user, to_email(&email())).await;
    user = assert_updates(
        &accounts,
        &user,
        DetailsChange {
            website: Some(Some(url("http://example.com"))),
            ..Default::default()
        },
    )
    .await;
    assert_updates(&accounts, &user, DetailsChange::default()).await;
    assert_eq!(
        accounts.hash(user.id).await,
        "$test$v=1$first",
        "the password is as it was"
    );
}

/// A field that a change names without a value is cleared, each for itself.
pub async fn an_update_clears_what_it_says(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    let clears = [
        DetailsChange {
            name: Some(None),
            ..DetailsChange::default()
        },
        DetailsChange {
            website: Some(None),
            ..DetailsChange::default()
        },
        DetailsChange {
            image_url: Some(None),
            ..DetailsChange::default()
        },
        DetailsChange {
            locale: Some(None),
            ..DetailsChange::default()
        },
    ];
    for change in clears {
        let full = assert_updates(&accounts, &user, all_details()).await;
        user = assert_updates(&accounts, &full, change).await;
    }
}

/// A taken address refuses the whole change.
pub async fn an_update_refuses_a_taken_address(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((ann, _), (bob, _)) = (accounts.signed_up().await, accounts.signed_up().await);
    let change = DetailsChange {
        email: Some(bob.email.clone()),
        ..all_details()
    };
    assert_eq!(
        update(&accounts, &ann, &change).await,
        UpdateOutcome::EmailTaken,
        "the address is another account's"
    );
    assert_eq!(accounts.account(ann.id).await, Some(ann), "nothing changed");
    assert_eq!(
        accounts.account(bob.id).await,
        Some(bob),
        "nothing changed for its owner"
    );
}

/// The account's own address is not taken.
pub async fn an_update_may_repeat_its_own_address(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let change = DetailsChange {
        email: Some(user.email.clone()),
        ..all_details()
    };
    assert_updates(&accounts, &user, change).await;
}

/// After a change of address the old one is free and the new one finds the account.
pub async fn a_freed_address_can_be_taken(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (ann, _) = accounts.signed_up().await;
    let moved = assert_updates(&accounts, &ann, to_email(&email())).await;
    let found = accounts
        .users
        .credentials_by_email(&moved.email, &[])
        .await
        .expect("credentials_by_email works");
    assert_eq!(
        found.map(|found| found.user),
        Some(moved),
        "the new address finds the account"
    );
    let bob = User {
        email: ann.email.clone(),
        ..crate::contract::given::user()
    };
    let created = accounts
        .create(&bob, &crate::contract::given::session(&bob, 60))
        .await;
    assert_eq!(created, CreateOutcome::Created, "the old address is free");
    assert_eq!(
        update(&accounts, &ann, &to_email(&bob.email)).await,
        UpdateOutcome::EmailTaken,
        "and now it is another's"
    );
}

/// An unknown account can't be changed.
pub async fn updating_nobody_is_not_found(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (ann, _) = accounts.signed_up().await;
    for change in [
        all_details(),
        to_email(&email()),
        to_email(&ann.email),
        DetailsChange::default(),
    ] {
        let outcome = accounts
            .users
            .update(user_id(), &change, None, at(60), &untold())
            .await
            .expect("update works");
        // With a taken address both answers are right for an unknown account.
        let either = matches!(outcome, UpdateOutcome::NotFound)
            || (outcome == UpdateOutcome::EmailTaken && change.email.as_ref() == Some(&ann.email));
        assert!(either, "there is no such account, got {outcome:?}");
    }
    assert_eq!(
        accounts.account(ann.id).await,
        Some(ann),
        "nobody else changed"
    );
}

/// Concurrent changes of different fields all take effect.
pub async fn parallel_updates_keep_each_other(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    for round in 0..10 {
        let all = all_details();
        let name = DetailsChange {
            name: Some(Some(label(&format!("Ann {round}")))),
            ..DetailsChange::default()
        };
        let website = DetailsChange {
            website: Some(Some(url(&format!("https://example.org/{round}")))),
            ..DetailsChange::default()
        };
        let image = DetailsChange {
            image_url: (round % 2 == 0).then(|| all.image_url.flatten()),
            ..DetailsChange::default()
        };
        let address = to_email(&email());
        let changes = [name, website, image, address];
        let running = changes.iter().cloned().map(|change| {
            let (users, id) = (subject.users(), user.id);
            Box::pin(async move {
                drop(
                    users
                        .update(id, &change, None, at(60), &untold())
                        .await
                        .expect("update works"),
                );
            }) as BoxedCall
        });
        at_once(running).await;
        user = changes
            .into_iter()
            .fold(user, |user, change| change.apply(user, at(60)));
        assert_eq!(
            accounts.account(user.id).await,
            Some(user.clone()),
            "all four changes hold"
        );
    }
}

/// A change by a session that has ended does not happen; an operator needs no session.
pub async fn an_update_needs_the_session_that_asks_to_live(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 10).await;
    let ask = async |session: &Session, at: Timestamp, change: DetailsChange| {
        let asking = Asking {
            session: session.id,
            epoch: None,
        };
        accounts
            .users
            .update(user.id, &change, Some(asking), at, &untold())
            .await
            .expect("update works")
    };
    let live = ask(&second, at(20), to_email(&email())).await;
    assert!(
        matches!(live, UpdateOutcome::Updated(_)),
        "a live session may ask, got {live:?}"
    );
    let there = accounts.account(user.id).await;
    assert_eq!(
        ask(&first, first.ends_at, all_details()).await,
        UpdateOutcome::Superseded,
        "it is past its absolute end"
    );
    accounts
        .sessions
        .end(user.id, second.id, EndReason::SignedOut, at(30), &untold())
        .await
        .expect("end works");
    assert_eq!(
        ask(&second, at(40), to_email(&email())).await,
        UpdateOutcome::Superseded,
        "it was signed out"
    );
    accounts
        .sessions
        .end_all(user.id, None, EndReason::SignedOut, at(50), &untold())
        .await
        .expect("end_all works");
    assert_eq!(
        ask(&first, at(60), all_details()).await,
        UpdateOutcome::Superseded,
        "all were signed out"
    );
    assert_eq!(
        accounts
            .account(user.id)
            .await
            .map(|user| (user.email, user.details)),
        there.map(|user| (user.email, user.details))
    );
}

/// A change that needs the password does not happen if the epoch has risen since it was shown, although the session that asks lives;
/// one that needs none does.
pub async fn an_update_needs_the_epoch_of_the_password(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let ask = async |epoch: Option<Epoch>, change: DetailsChange| {
        let asking = Asking {
            session: first.id,
            epoch,
        };
        let updated = accounts
            .users
            .update(user.id, &change, Some(asking), at(60), &untold())
            .await;
        updated.expect("update works")
    };
    let same = ask(Some(user.epoch), to_email(&email())).await;
    assert!(
        matches!(same, UpdateOutcome::Updated(_)),
        "nothing has changed since, got {same:?}"
    );
    accounts
        .sessions
        .end_all(
            user.id,
            Some(first.id),
            EndReason::SignedOut,
            at(30),
            &untold(),
        )
        .await
        .expect("end_all works");
    let there = accounts.account(user.id).await;
    for epoch in [user.epoch, user.epoch.next().next()] {
        assert_eq!(
            ask(Some(epoch), to_email(&email())).await,
            UpdateOutcome::Superseded,
            "{epoch:?} while the user's is 1"
        );
    }
    assert_eq!(accounts.account(user.id).await, there, "nothing changed");
    for (epoch, change) in [
        (Some(user.epoch.next()), to_email(&email())),
        (None, all_details()),
    ] {
        let updated = ask(epoch, change).await;
        assert!(
            matches!(updated, UpdateOutcome::Updated(_)),
            "the session goes on, got {updated:?}"
        );
    }
}

/// Of a change of password and changes of address that showed the old one, all at once, none of the latter comes after the former.
pub async fn an_update_does_not_come_after_a_password_change(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let mut epoch = user.epoch;
    for round in 0..10 {
        let change = PasswordChange {
            user: user.id,
            session: first.id,
            epoch,
            hash: hash(&format!("round {round}")),
            at: at(60),
        };
        let users = subject.users();
        let changed = Box::pin(async move {
            let changed = users.change_password(&change, &untold()).await;
            let expected = PasswordOutcome::Changed(epoch.next());
            assert_eq!(changed.expect("change_password works"), expected);
        }) as BoxedCall;
        let asking = Asking {
            session: first.id,
            epoch: Some(epoch),
        };
        let updates = (0..8).map(|_| {
            let (users, id, change) = (subject.users(), user.id, to_email(&email()));
            Box::pin(async move {
                let updated = users
                    .update(id, &change, Some(asking), at(60), &untold())
                    .await;
                if let UpdateOutcome::Updated(user) = updated.expect("update works") {
                    assert_eq!(user.epoch, epoch, "it came before the change of password");
                }
            }) as BoxedCall
        });
        at_once(updates.chain([changed])).await;
        epoch = epoch.next();
    }
}
