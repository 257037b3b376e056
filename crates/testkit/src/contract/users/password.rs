//! Changes of passwords: one session continues, all others end.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at},
        given::{at_once, hash, secs, session_id, user_id},
    },
    untold,
};
use revolve_domain::{
    model::{EndReason, Ending, Epoch, Session, User},
    ports::{PasswordChange, PasswordOutcome},
};

fn change(user: &User, session: &Session) -> PasswordChange {
    PasswordChange {
        user: user.id,
        session: session.id,
        epoch: user.epoch,
        hash: hash("second"),
        at: at(600),
    }
}

async fn apply(accounts: &Accounts, change: &PasswordChange) -> PasswordOutcome {
    accounts
        .users
        .change_password(change, &untold())
        .await
        .expect("change_password works")
}

async fn assert_superseded(accounts: &Accounts, change: &PasswordChange, user: &User, why: &str) {
    assert_eq!(
        apply(accounts, change).await,
        PasswordOutcome::Superseded,
        "{why}"
    );
    assert_eq!(
        accounts.hash(user.id).await,
        "$test$v=1$first",
        "{why}: the password is as it was"
    );
    assert_eq!(
        accounts.account(user.id).await.as_ref(),
        Some(user),
        "{why}: the account is as it was"
    );
}

/// The new hash is stored, the epoch rises by one, the session that asked is kept and all others end, in one commit.
pub async fn a_password_change_ends_all_other_sessions(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let (asking, third) = (
        accounts.signed_in(&user, 60).await,
        accounts.signed_in(&user, 120).await,
    );
    let over = accounts.signed_in(&user, 180).await;
    accounts
        .sessions
        .end(user.id, over.id, EndReason::SignedOut, at(200), &untold())
        .await
        .expect("end works");

    let epoch = user.epoch.next();
    assert_eq!(
        apply(&accounts, &change(&user, &asking)).await,
        PasswordOutcome::Changed(epoch),
        "the session lives and asks in time"
    );
    assert_eq!(
        accounts.hash(user.id).await,
        "$test$v=1$second",
        "the new password holds"
    );
    let now = User {
        epoch,
        kept_session: Some(asking.id),
        ..user.clone()
    };
    assert_eq!(
        accounts.account(user.id).await,
        Some(now.clone()),
        "the epoch is raised, the asking session kept"
    );
    assert_eq!(
        accounts.live(user.id, at(600)).await,
        [asking.id],
        "only the asking session lives"
    );
    assert_eq!(accounts.row(&asking).await, asking, "its row is as it was");
    for ended in [&first, &third] {
        let ending = Some(Ending {
            at: at(600),
            reason: EndReason::PasswordChanged,
        });
        assert_eq!(
            accounts.row(ended).await,
            Session {
                ending,
                ..ended.clone()
            },
            "the others have ended"
        );
    }
    assert_eq!(
        accounts.reason(&over).await,
        Some(EndReason::SignedOut),
        "the first reason stays"
    );

    let again = PasswordChange {
        hash: hash("third"),
        at: at(700),
        ..change(&now, &asking)
    };
    assert_eq!(
        apply(&accounts, &again).await,
        PasswordOutcome::Changed(epoch.next()),
        "the kept session lives and can ask again"
    );
}

/// A session that has ended, expired or never was can't change the password.
pub async fn a_password_change_needs_a_live_session(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let ended = accounts.signed_in(&user, 60).await;
    accounts
        .sessions
        .end(user.id, ended.id, EndReason::SignedOut, at(90), &untold())
        .await
        .expect("end works");
    let (_, strange) = accounts.signed_up().await;

    assert_superseded(
        &accounts,
        &change(&user, &ended),
        &user,
        "the session has ended",
    )
    .await;
    assert_superseded(
        &accounts,
        &change(&user, &strange),
        &user,
        "the session is another user's",
    )
    .await;
    let unknown = PasswordChange {
        session: session_id(),
        ..change(&user, &first)
    };
    assert_superseded(&accounts, &unknown, &user, "there is no such session").await;
    let too_late = PasswordChange {
        at: first.ends_at.plus(secs(60)),
        ..change(&user, &first)
    };
    assert_superseded(
        &accounts,
        &too_late,
        &user,
        "the session is past its absolute end",
    )
    .await;
    let nobody = PasswordChange {
        user: user_id(),
        ..change(&user, &first)
    };
    assert_superseded(&accounts, &nobody, &user, "there is no such account").await;
    assert_eq!(accounts.reason(&first).await, None, "no session ended");
}

/// If the epoch has risen since the hash was read, the password stays.
pub async fn a_password_change_needs_the_same_epoch(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let ahead = PasswordChange {
        epoch: user.epoch.next(),
        ..change(&user, &first)
    };
    assert_superseded(&accounts, &ahead, &user, "the epoch is another").await;
    let epoch = accounts
        .sessions
        .end_all(
            user.id,
            Some(first.id),
            EndReason::SignedOut,
            at(60),
            &untold(),
        )
        .await
        .expect("end_all works");
    assert_eq!(epoch, Some(Epoch::new(1)), "the others were signed out");
    let now = accounts
        .account(user.id)
        .await
        .expect("the account is there");
    assert_superseded(
        &accounts,
        &change(&user, &first),
        &now,
        "the epoch has moved",
    )
    .await;
    assert_eq!(
        apply(&accounts, &change(&now, &first)).await,
        PasswordOutcome::Changed(Epoch::new(2)),
        "it has not moved any more"
    );
}

/// Of many concurrent changes that read the same hash, one succeeds.
pub async fn parallel_password_changes_succeed_once(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let outcomes = at_once((0..20).map(|number| {
        let users = subject.users();
        let change = PasswordChange {
            hash: hash(&number.to_string()),
            ..change(&user, &first)
        };
        async move {
            (
                change.hash.expose().to_owned(),
                users
                    .change_password(&change, &untold())
                    .await
                    .expect("change_password works"),
            )
        }
    }))
    .await;
    let changed: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome != PasswordOutcome::Superseded)
        .collect();
    assert_eq!(
        changed.len(),
        1,
        "exactly one of them changes the password, got {changed:?}"
    );
    assert_eq!(
        changed[0].1,
        PasswordOutcome::Changed(Epoch::new(1)),
        "and raises the epoch by one"
    );
    assert_eq!(
        accounts.hash(user.id).await,
        changed[0].0,
        "the password is the one that was acknowledged"
    );
}
