//! The devices that a user has signed in on.

use crate::contract::{
    AccountsSubject,
    accounts::{Accounts, at, begin},
    given::{device_id, session},
};
use revolve_domain::{
    model::{EndReason, Epoch, Session, Timestamp},
    ports::{BeginOutcome, BeginSession},
};

/// A sign-in makes its device known for this user, and for no other.
pub async fn the_device_of_a_sign_in_is_known(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((ann, _), (bob, _)) = (accounts.signed_up().await, accounts.signed_up().await);
    let new = session(&ann, 60);
    assert!(
        !accounts.knows(&ann, new.device).await,
        "a device that was never there"
    );
    accounts.begin(&new).await;
    assert!(
        accounts.knows(&ann, new.device).await,
        "the device of the sign-in"
    );
    assert!(
        !accounts.knows(&bob, new.device).await,
        "to others it is a stranger's"
    );
    let bobs = Session {
        device: new.device,
        ..session(&bob, 90)
    };
    accounts.begin(&bobs).await;
    assert!(
        accounts.knows(&bob, new.device).await,
        "two people may share a device"
    );
    assert!(
        accounts.knows(&ann, new.device).await,
        "and it stays the other's, too"
    );
    assert!(
        !accounts.knows(&ann, device_id()).await,
        "another device is still a stranger's"
    );
}

/// A device stays known when its sessions have ended and their rows are deleted.
pub async fn a_device_stays_known_after_its_sessions(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let one = accounts.signed_in(&user, 60).await;
    accounts
        .sessions
        .end(user.id, one.id, EndReason::SignedOut, at(90))
        .await
        .expect("end works");
    assert!(
        accounts.knows(&user, one.device).await,
        "the session has ended"
    );
    accounts
        .begin_with(&BeginSession {
            max_ended: 0,
            ..begin(&session(&user, 120))
        })
        .await;
    assert_eq!(
        accounts.find(user.id, one.id).await,
        None,
        "the row is gone"
    );
    assert!(
        accounts.knows(&user, one.device).await,
        "the device is known all the same"
    );
    accounts
        .sessions
        .end_all(user.id, None, EndReason::SignedOut, at(150))
        .await
        .expect("end_all works");
    assert!(
        accounts.knows(&user, one.device).await,
        "after a sign-out everywhere, too"
    );
}

/// No more devices are remembered than the limit: the least recently used are forgotten, never the one of this sign-in, nor
/// another user's.
pub async fn known_devices_are_bounded(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((user, first), (other, others)) = (accounts.signed_up().await, accounts.signed_up().await);
    let mut sessions = vec![first];
    for number in 1..=4 {
        sessions.push(accounts.signed_in(&user, number * 60).await);
    }
    let again = Session {
        device: sessions[1].device,
        ..session(&user, 600)
    };
    accounts
        .begin_with(&BeginSession {
            max_devices: 3,
            ..begin(&again)
        })
        .await;
    let mut known = Vec::new();
    for session in &sessions {
        known.push(accounts.knows(&user, session.device).await);
    }
    assert_eq!(
        known,
        [false, true, false, true, true],
        "the three that were signed in on last"
    );
    let late = session(&user, 30);
    accounts
        .begin_with(&BeginSession {
            max_devices: 1,
            ..begin(&late)
        })
        .await;
    assert!(
        accounts.knows(&user, late.device).await,
        "the device of this sign-in stays, whatever its clock says"
    );
    assert!(
        !accounts.knows(&user, again.device).await,
        "and the others go"
    );
    assert!(
        accounts.knows(&other, others.device).await,
        "another user's device stays"
    );
}

/// Devices without a recent sign-in are forgotten, up to the limit of a call; a new sign-in keeps a device known.
pub async fn known_devices_are_forgotten_in_time(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    // Long before any other test's time, so that none of theirs are forgotten, too.
    let then = |seconds: i64| Timestamp::from_seconds(600_000_000 + seconds);
    let old: Vec<Session> = (0..3)
        .map(|number| Session {
            began_at: then(number * 10),
            ..session(&user, 0)
        })
        .collect();
    for old in &old {
        accounts.begin(old).await;
    }
    accounts
        .begin(&Session {
            device: old[0].device,
            ..session(&user, 60)
        })
        .await;
    let forget = async |before, limit| {
        accounts
            .sessions
            .prune_devices(before, limit)
            .await
            .expect("prune_devices works")
    };
    forget(then(10), 1000).await;
    assert!(
        accounts.knows(&user, old[1].device).await,
        "not before that time"
    );
    while forget(then(30), 1).await == 1 {}
    assert!(
        accounts.knows(&user, old[0].device).await,
        "signed in on again since"
    );
    for old in &old[1..] {
        assert!(!accounts.knows(&user, old.device).await, "forgotten");
    }
    assert!(accounts.knows(&user, first.device).await, "later ones stay");
}

/// A refused sign-in makes no device known.
pub async fn a_superseded_sign_in_makes_no_device_known(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let new = Session {
        epoch: Epoch::new(7),
        ..session(&user, 60)
    };
    assert_eq!(
        accounts.begin(&new).await,
        BeginOutcome::Superseded,
        "another epoch"
    );
    assert!(
        !accounts.knows(&user, new.device).await,
        "its device is a stranger's"
    );
}
