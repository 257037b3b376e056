//! Revocations since an instant. Stores are shared with other cases, so each checks its own ids only.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at, begin},
        given::{hash, session},
    },
    untold,
};
use revolve_domain::{
    model::{EndReason, Epoch, Session, SessionId, Timestamp, User},
    ports::{BeginSession, PasswordChange, PasswordOutcome},
    revocations::RaisedEpoch,
};

/// When each of these sessions ended, if that was at `since` or later; none may be there twice.
pub(super) async fn ended(
    accounts: &Accounts,
    since: Timestamp,
    which: &[&Session],
) -> Vec<Option<Timestamp>> {
    let revoked = accounts.revoked(since).await.ends;
    let find = |id: SessionId| {
        let mut found = revoked.iter().filter(|end| end.session == id);
        let first = found.next().map(|end| end.at);
        assert_eq!(found.next(), None, "a session is named once");
        first
    };
    which.iter().map(|session| find(session.id)).collect()
}

/// The user's raised epoch, if it was raised at `since` or later.
async fn raised(accounts: &Accounts, since: Timestamp, user: &User) -> Option<RaisedEpoch> {
    let revoked = accounts.revoked(since).await.raised;
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
        ended(&accounts, at(0), &which).await,
        [None, None],
        "both live"
    );
    accounts
        .sessions
        .end(user.id, first.id, EndReason::SignedOut, at(60), &untold())
        .await
        .expect("end works");
    accounts
        .sessions
        .end(user.id, first.id, EndReason::Reused, at(90), &untold())
        .await
        .expect("end works");
    for since in [at(0), at(59), at(60)] {
        assert_eq!(
            ended(&accounts, since, &which).await,
            [Some(at(60)), None],
            "it ended at 60, which counts"
        );
    }
    let later = Timestamp::from_millis(at(60).as_millis() + 1);
    assert_eq!(
        ended(&accounts, later, &which).await,
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
    let all = async |kept, after| {
        accounts
            .sessions
            .end_all(user.id, kept, EndReason::SignedOut, at(after), &untold())
            .await
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
        at: at(60),
    };
    assert_eq!(
        raised(&accounts, at(60), &user).await,
        Some(expected),
        "raised, and one is kept"
    );
    assert_eq!(
        ended(&accounts, at(60), &[&first, &second]).await,
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
        .change_password(&change, &untold())
        .await
        .expect("change_password works");
    assert_eq!(
        changed,
        PasswordOutcome::Changed(Epoch::new(2)),
        "a change of password raises it, too"
    );
    let expected = RaisedEpoch {
        epoch: Epoch::new(2),
        at: at(120),
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
        at: at(180),
        ..expected
    };
    assert_eq!(
        raised(&accounts, at(180), &user).await,
        Some(expected),
        "nothing is kept"
    );
    assert_eq!(
        ended(&accounts, at(0), &[&bobs]).await,
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
        .end_all(
            user.id,
            Some(second.id),
            EndReason::SignedOut,
            at(30),
            &untold(),
        )
        .await
        .expect("end_all works");
    assert!(
        accounts
            .users
            .delete(user.id, None, at(60), &untold())
            .await
            .expect("delete works"),
        "there was such an account"
    );
    assert_eq!(
        ended(&accounts, at(30), &[&first, &second]).await,
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
        ended(&accounts, at(60), &[&first, &again, &last]).await,
        [Some(at(60)), Some(at(120)), None],
        "replaced at 60, evicted at 120, alive"
    );
}
