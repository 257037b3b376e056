//! Revocations since an instant. Stores are shared with other cases, so each checks its own ids only.

use crate::contract::{
    AccountsSubject,
    accounts::{Accounts, at, begin},
    given::{hash, session, user},
};
use revolve_domain::{
    model::{EndReason, Epoch, Session, SessionId, Timestamp, User},
    ports::{
        BeginSession, CreateOutcome, PasswordChange, PasswordOutcome, RaisedEpoch,
        SessionRepository,
    },
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// When each of these sessions ended, if that was at `since` or later; none may be there twice.
async fn ended(
    sessions: &Arc<dyn SessionRepository>,
    since: Timestamp,
    which: &[&Session],
) -> Vec<Option<Timestamp>> {
    let revoked = sessions
        .revoked_since(since)
        .await
        .expect("revoked_since works")
        .sessions;
    let find = |id: SessionId| {
        let mut found = revoked.iter().filter(|(session, _)| *session == id);
        let first = found.next().map(|(_, at)| *at);
        assert_eq!(found.next(), None, "a session is named once");
        first
    };
    which.iter().map(|session| find(session.id)).collect()
}

/// The user's raised epoch, if it was raised at `since` or later.
async fn raised(accounts: &Accounts, since: Timestamp, user: &User) -> Option<RaisedEpoch> {
    let revoked = accounts
        .sessions
        .revoked_since(since)
        .await
        .expect("revoked_since works")
        .users;
    let mut found = revoked.into_iter().filter(|raised| raised.user == user.id);
    let first = found.next();
    assert_eq!(found.next(), None, "a user is named once");
    first
}

/// A session is listed from its end on, with the time of its end; a live one is not.
pub async fn an_ended_session_is_revoked_since_its_end(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 10).await;
    let which = [&first, &second];
    assert_eq!(
        ended(&accounts.sessions, at(0), &which).await,
        [None, None],
        "both live"
    );
    accounts
        .sessions
        .end(user.id, first.id, EndReason::SignedOut, at(60))
        .await
        .expect("end works");
    accounts
        .sessions
        .end(user.id, first.id, EndReason::Reused, at(90))
        .await
        .expect("end works");
    for since in [at(0), at(59), at(60)] {
        assert_eq!(
            ended(&accounts.sessions, since, &which).await,
            [Some(at(60)), None],
            "it ended at 60, which counts"
        );
    }
    let later = Timestamp::from_millis(at(60).as_millis() + 1);
    assert_eq!(
        ended(&accounts.sessions, later, &which).await,
        [None, None],
        "it ended before"
    );
    assert_eq!(
        raised(&accounts, at(0), &user).await,
        None,
        "the end of one raises no epoch"
    );
}

/// A user is listed from the last raise of the epoch on, with the current epoch and kept session.
pub async fn a_raised_epoch_is_revoked_since_its_raise(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let (bob, bobs) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 10).await;
    assert_eq!(raised(&accounts, at(0), &user).await, None, "never raised");
    let all = |kept, after| {
        accounts
            .sessions
            .end_all(user.id, kept, EndReason::SignedOut, at(after))
    };
    assert_eq!(
        all(Some(second.id), 60).await.expect("end_all works"),
        Some(Epoch::new(1)),
        "the others ended"
    );
    let expected = RaisedEpoch {
        user: user.id,
        epoch: Epoch::new(1),
        kept: Some(second.id),
    };
    assert_eq!(
        raised(&accounts, at(60), &user).await,
        Some(expected),
        "raised, and one is kept"
    );
    assert_eq!(
        ended(&accounts.sessions, at(60), &[&first, &second]).await,
        [Some(at(60)), None],
        "the kept one lives"
    );
    assert_eq!(
        raised(&accounts, at(61), &user).await,
        None,
        "that was before"
    );

    let change = PasswordChange {
        user: user.id,
        session: second.id,
        epoch: Epoch::new(1),
        hash: hash("second"),
        at: at(120),
    };
    let changed = accounts
        .users
        .change_password(&change)
        .await
        .expect("change_password works");
    assert_eq!(
        changed,
        PasswordOutcome::Changed(Epoch::new(2)),
        "a change of password raises it, too"
    );
    let expected = RaisedEpoch {
        epoch: Epoch::new(2),
        ..expected
    };
    assert_eq!(
        raised(&accounts, at(61), &user).await,
        Some(expected),
        "the epoch of now"
    );
    assert_eq!(
        all(None, 180).await.expect("end_all works"),
        Some(Epoch::new(3)),
        "all ended"
    );
    let expected = RaisedEpoch {
        epoch: Epoch::new(3),
        kept: None,
        ..expected
    };
    assert_eq!(
        raised(&accounts, at(180), &user).await,
        Some(expected),
        "nothing is kept"
    );
    assert_eq!(
        ended(&accounts.sessions, at(0), &[&bobs]).await,
        [None],
        "another user's session lives"
    );
    assert_eq!(
        raised(&accounts, at(0), &bob).await,
        None,
        "and so does the epoch"
    );
}

/// A deleted account has each of its sessions listed, and no epoch.
pub async fn a_deleted_account_leaves_its_ended_sessions(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 10).await;
    accounts
        .sessions
        .end_all(user.id, Some(second.id), EndReason::SignedOut, at(30))
        .await
        .expect("end_all works");
    assert!(
        accounts
            .users
            .delete(user.id, None, at(60))
            .await
            .expect("delete works"),
        "there was such an account"
    );
    assert_eq!(
        ended(&accounts.sessions, at(30), &[&first, &second]).await,
        [Some(at(30)), Some(at(60))],
        "both are over"
    );
    assert_eq!(
        raised(&accounts, at(0), &user).await,
        None,
        "the account is gone"
    );
}

/// Sessions that a sign-in ends are listed like any other.
pub async fn a_sign_in_revokes_what_it_replaces_and_evicts(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let again = Session {
        device: first.device,
        ..session(&user, 60)
    };
    accounts.begin(&again).await;
    let last = session(&user, 120);
    accounts
        .begin_with(&BeginSession {
            max_live: 1,
            ..begin(&last)
        })
        .await;
    assert_eq!(
        ended(&accounts.sessions, at(60), &[&first, &again, &last]).await,
        [Some(at(60)), Some(at(120)), None],
        "replaced at 60, evicted at 120, alive"
    );
}

/// A raise and the ends that belong to it are seen together by concurrent readers, also while the account is
/// deleted.
pub async fn revocations_are_one_consistent_view(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    for _ in 0..10 {
        let user = user();
        let first = session(&user, 0);
        assert_eq!(
            accounts.create(&user, &first).await,
            CreateOutcome::Created,
            "a fresh address is free"
        );
        let over = Arc::new(AtomicBool::new(false));
        let (sessions, stop) = (accounts.sessions.clone(), over.clone());
        let looking = tokio::spawn(async move {
            let mut revoked = false;
            while !stop.load(Ordering::SeqCst) {
                let now = sessions
                    .revoked_since(at(60))
                    .await
                    .expect("revoked_since works");
                let session = now.sessions.iter().any(|(session, _)| *session == first.id);
                let epoch = now.users.iter().any(|raised| raised.user == first.user);
                assert!(
                    session || !epoch,
                    "an epoch that rose without the ends that belong to it"
                );
                assert!(
                    session || !revoked,
                    "an end that was seen and is not any more"
                );
                revoked |= session;
            }
        });
        accounts
            .sessions
            .end_all(user.id, None, EndReason::SignedOut, at(60))
            .await
            .expect("end_all works");
        accounts
            .users
            .delete(user.id, None, at(61))
            .await
            .expect("delete works");
        over.store(true, Ordering::SeqCst);
        looking.await.expect("nobody saw half of it");
    }
}
