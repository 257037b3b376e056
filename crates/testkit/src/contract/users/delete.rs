//! Deletion of accounts.

use crate::contract::{
    AccountsSubject,
    accounts::{Accounts, at},
    given::{hash, session, user, user_id},
};
use revolve_domain::{
    model::{ClientInfo, DetailsChange, EndReason, Ending, Session, Timestamp, User},
    ports::{Asking, CreateOutcome, PasswordChange, PasswordOutcome, UpdateOutcome},
};

/// A deleted account is not found, can't be changed, and its address is free.
pub async fn a_deleted_account_is_gone(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (ann, first) = accounts.signed_up().await;
    let (bob, bobs) = accounts.signed_up().await;
    assert!(
        accounts
            .users
            .delete(ann.id, None, at(60))
            .await
            .expect("delete works"),
        "there was an account"
    );
    assert_eq!(
        accounts.account(ann.id).await,
        None,
        "it is not found by id"
    );
    let by_email = accounts
        .users
        .credentials_by_email(&ann.email, &[])
        .await
        .expect("credentials_by_email works");
    assert!(by_email.is_none(), "it is not found by address");
    let update = accounts
        .users
        .update(ann.id, &DetailsChange::default(), None, at(90))
        .await
        .expect("update works");
    assert_eq!(update, UpdateOutcome::NotFound, "it can't be changed");
    let change = PasswordChange {
        user: ann.id,
        session: first.id,
        epoch: ann.epoch,
        hash: hash("second"),
        at: at(90),
    };
    let change = accounts
        .users
        .change_password(&change)
        .await
        .expect("change_password works");
    assert_eq!(change, PasswordOutcome::Superseded, "it has no password");
    let end_all = accounts
        .sessions
        .end_all(ann.id, None, EndReason::SignedOut, at(90))
        .await
        .expect("end_all works");
    assert_eq!(end_all, None, "it has no sessions to end");
    let again = User {
        email: ann.email.clone(),
        ..user()
    };
    assert_eq!(
        accounts.create(&again, &session(&again, 120)).await,
        CreateOutcome::Created,
        "its address is free"
    );
    assert_eq!(
        accounts.account(bob.id).await,
        Some(bob.clone()),
        "nobody else is gone"
    );
    assert_eq!(
        accounts.live(bob.id, at(120)).await,
        [bobs.id],
        "nor is anybody else's session"
    );
}

/// The sessions' rows stay, ended, so that their tokens are refused; devices and addresses are removed from them.
pub async fn a_deletion_ends_the_sessions_and_scrubs_their_rows(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let over = accounts.signed_in(&user, 30).await;
    accounts
        .sessions
        .end(user.id, over.id, EndReason::SignedOut, at(40))
        .await
        .expect("end works");
    accounts
        .users
        .delete(user.id, None, at(60))
        .await
        .expect("delete works");

    let endings = [
        (
            &first,
            Ending {
                at: at(60),
                reason: EndReason::AccountDeleted,
            },
        ),
        (
            &over,
            Ending {
                at: at(40),
                reason: EndReason::SignedOut,
            },
        ),
    ];
    for (session, ending) in endings {
        let record = accounts
            .find(user.id, session.id)
            .await
            .expect("the row stays");
        assert_eq!(record.user, None, "the account is gone");
        assert_eq!(
            record.session.ending,
            Some(ending),
            "the session has ended, and the first reason stays"
        );
        let Session {
            device_name,
            client,
            ..
        } = record.session;
        assert_eq!(
            (device_name, client),
            (None, ClientInfo::default()),
            "nothing is left of the device's name, address and agent"
        );
    }
    assert!(
        accounts.live(user.id, at(60)).await.is_empty(),
        "no session lives"
    );
}

/// A deleted account's devices are forgotten: a later account with the same address does not inherit them.
pub async fn a_deletion_forgets_the_devices(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let other = accounts.signed_in(&user, 30).await;
    accounts
        .users
        .delete(user.id, None, at(60))
        .await
        .expect("delete works");
    let again = User {
        created_at: at(90),
        ..user
    };
    assert_eq!(
        accounts.create(&again, &session(&again, 90)).await,
        CreateOutcome::Created,
        "even with the same id"
    );
    for device in [first.device, other.device] {
        assert!(
            !accounts.knows(&again, device).await,
            "its devices are strangers'"
        );
    }
}

/// Deleting an unknown or a deleted account changes nothing.
pub async fn deleting_nobody_is_false(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    assert!(
        !accounts
            .users
            .delete(user_id(), None, at(60))
            .await
            .expect("delete works"),
        "there never was such an account"
    );
    assert!(
        accounts
            .users
            .delete(user.id, None, at(60))
            .await
            .expect("delete works"),
        "there was one"
    );
    assert!(
        !accounts
            .users
            .delete(user.id, None, at(90))
            .await
            .expect("delete works"),
        "it is gone already"
    );
}

/// A deletion by a session that has ended does not happen.
pub async fn a_deletion_needs_the_session_that_asks_to_live(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 10).await;
    let ask = async |session: &Session, at: Timestamp| {
        let asking = Asking {
            session: session.id,
            epoch: Some(user.epoch),
        };
        accounts
            .users
            .delete(user.id, Some(asking), at)
            .await
            .expect("delete works")
    };
    accounts
        .sessions
        .end(user.id, second.id, EndReason::SignedOut, at(30))
        .await
        .expect("end works");
    assert!(!ask(&second, at(40)).await, "it was signed out");
    assert!(
        !ask(&first, first.ends_at).await,
        "it is past its absolute end"
    );
    assert_eq!(
        accounts.live(user.id, at(40)).await,
        [first.id],
        "nothing changed"
    );
    assert!(ask(&first, at(40)).await, "a live session may ask");
    assert_eq!(accounts.account(user.id).await, None, "the account is gone");
}

/// A deletion does not happen if the epoch has risen since the password was shown, although the session that asks lives.
pub async fn a_deletion_needs_the_epoch_of_the_password(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    accounts
        .sessions
        .end_all(user.id, Some(first.id), EndReason::SignedOut, at(30))
        .await
        .expect("end_all works");
    let there = accounts.account(user.id).await;
    let present = user.epoch.next();
    for (epoch, expected) in [
        (user.epoch, false),
        (present.next(), false),
        (present, true),
    ] {
        assert_eq!(accounts.account(user.id).await, there, "nothing changed");
        let asking = Asking {
            session: first.id,
            epoch: Some(epoch),
        };
        let deleted = accounts.users.delete(user.id, Some(asking), at(60)).await;
        assert_eq!(deleted.expect("delete works"), expected, "{epoch:?}");
    }
    assert_eq!(accounts.account(user.id).await, None, "the account is gone");
}
