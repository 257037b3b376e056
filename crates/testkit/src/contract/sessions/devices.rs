//! The devices that a user has signed in on.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at, begin},
        given::{device_id, hash, session},
    },
    untold,
};
use revolve_domain::{
    model::{EndReason, Epoch, KnownDevice, Session, Timestamp},
    ports::{BeginOutcome, BeginSession, EndOutcome, PasswordChange, PasswordOutcome},
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
        .end(user.id, one.id, EndReason::SignedOut, at(90), &untold())
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
        .end_all(user.id, None, EndReason::SignedOut, at(150), &untold())
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

/// A device is current until the user's epoch rises, and again after the next sign-in on it. It is known all the while.
pub async fn a_device_is_current_until_the_epoch_rises(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (mut user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 60).await;
    for device in [first.device, second.device] {
        assert!(accounts.keeps(&user, device).await, "a sign-in made it so");
    }
    accounts
        .sessions
        .end_all(
            user.id,
            Some(first.id),
            EndReason::SignedOut,
            at(90),
            &untold(),
        )
        .await
        .expect("end_all works");
    user.epoch = user.epoch.next();
    for device in [first.device, second.device] {
        assert!(accounts.knows(&user, device).await, "it is known");
        assert!(!accounts.keeps(&user, device).await, "the kept one, too");
    }
    let again = Session {
        device: second.device,
        ..session(&user, 120)
    };
    accounts.begin(&again).await;
    assert!(
        accounts.keeps(&user, second.device).await,
        "signed in since"
    );
    let change = PasswordChange {
        user: user.id,
        session: again.id,
        epoch: user.epoch,
        hash: hash("second"),
        at: at(150),
    };
    let changed = accounts.users.change_password(&change, &untold()).await;
    let expected = PasswordOutcome::Changed(user.epoch.next());
    assert_eq!(changed.expect("change_password works"), expected);
    assert!(
        !accounts.keeps(&user, second.device).await,
        "a change of password raises the epoch, too"
    );
}

/// After reuse the device of the session is known and not current, whatever sign-ins come; other devices stay current.
pub async fn a_device_is_not_current_after_reuse(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 60).await;
    for (session, reason) in [(&second, EndReason::SignedOut), (&first, EndReason::Reused)] {
        accounts
            .sessions
            .end(user.id, session.id, reason, at(90), &untold())
            .await
            .expect("end works");
    }
    assert!(
        accounts.keeps(&user, second.device).await,
        "its session ended for another reason"
    );
    assert!(accounts.knows(&user, first.device).await, "it is known");
    assert!(
        !accounts.keeps(&user, first.device).await,
        "reuse was found"
    );
    let same_device = Session {
        device: first.device,
        ..session(&user, 120)
    };
    accounts.begin(&same_device).await;
    assert!(
        !accounts.keeps(&user, first.device).await,
        "a sign-in that had begun before does not undo that"
    );
}

/// Reuse is recorded on the device also if its session has ended meanwhile: a sign-in on the device may have replaced it. The
/// session keeps its end, and so does the newer one its life.
pub async fn a_device_is_not_current_after_reuse_in_a_session_that_was_over(
    subject: &dyn AccountsSubject,
) {
    let accounts = Accounts::new(subject);
    let ((user, first), (_, others)) = (accounts.signed_up().await, accounts.signed_up().await);
    let again = Session {
        device: first.device,
        ..session(&user, 60)
    };
    accounts.begin(&again).await;
    assert_eq!(
        accounts.reason(&first).await,
        Some(EndReason::Replaced),
        "it was replaced"
    );
    assert!(accounts.keeps(&user, first.device).await, "signed in since");
    let end = async |session| {
        accounts
            .sessions
            .end(user.id, session, EndReason::Reused, at(90), &untold())
            .await
            .expect("end works")
    };
    assert_eq!(
        end(others.id).await,
        EndOutcome::NotFound,
        "another user's session says nothing"
    );
    assert!(accounts.keeps(&user, first.device).await, "nothing changed");
    assert_eq!(end(first.id).await, EndOutcome::AlreadyEnded);
    assert!(accounts.knows(&user, first.device).await, "it is known");
    assert!(
        !accounts.keeps(&user, first.device).await,
        "reuse was found"
    );
    assert_eq!(
        accounts.reason(&first).await,
        Some(EndReason::Replaced),
        "the first reason stays"
    );
    assert_eq!(accounts.reason(&again).await, None, "the newer one lives");
}

/// Of several devices the current one is answered, else the latest; of others' devices and strange ones none.
pub async fn of_several_devices_the_current_one_is_known(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((mut user, first), (_, others)) = (accounts.signed_up().await, accounts.signed_up().await);
    let second = accounts.signed_in(&user, 60).await;
    let shown = [others.device, first.device, device_id(), second.device];
    let known = |device, is_current| {
        Some(KnownDevice {
            id: device,
            is_current,
        })
    };
    assert_eq!(
        accounts.known(&user, &shown).await,
        known(second.device, true),
        "the latest"
    );
    accounts
        .sessions
        .end_all(user.id, None, EndReason::SignedOut, at(90), &untold())
        .await
        .expect("end_all works");
    user.epoch = user.epoch.next();
    assert_eq!(
        accounts.known(&user, &shown).await,
        known(second.device, false),
        "the latest"
    );
    let early = Session {
        device: first.device,
        ..session(&user, 30)
    };
    accounts.begin(&early).await;
    assert_eq!(
        accounts.known(&user, &shown).await,
        known(first.device, true),
        "the current one, whatever its clock says"
    );
    for shown in [&[others.device, device_id()][..], &[]] {
        assert_eq!(accounts.known(&user, shown).await, None);
    }
}

/// The former devices of a sign-in are forgotten, for this user alone, and their sessions are replaced.
pub async fn former_devices_become_the_new_one(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((user, first), (other, others)) = (accounts.signed_up().await, accounts.signed_up().await);
    let (second, third) = (
        accounts.signed_in(&user, 60).await,
        accounts.signed_in(&user, 90).await,
    );
    let shared = Session {
        device: first.device,
        ..session(&other, 100)
    };
    accounts.begin(&shared).await;
    let new = session(&user, 120);
    let outcome = accounts
        .begin_with(&BeginSession {
            former_devices: vec![first.device, others.device],
            max_devices: 2,
            ..begin(&new)
        })
        .await;
    assert_eq!(
        outcome,
        BeginOutcome::Begun {
            replaced: vec![first.id],
            expired: vec![],
            evicted: vec![]
        },
        "the session of the user's former device"
    );
    assert!(!accounts.knows(&user, first.device).await, "forgotten");
    assert!(accounts.keeps(&user, new.device).await, "the new one");
    assert!(
        !accounts.knows(&user, second.device).await && accounts.knows(&user, third.device).await,
        "the limit counts what is left"
    );
    for device in [others.device, shared.device] {
        assert!(accounts.keeps(&other, device).await, "another user's stay");
    }
    assert_eq!(accounts.reason(&shared).await, None, "their sessions, too");
}
