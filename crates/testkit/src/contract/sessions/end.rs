//! Sessions are bound and end.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at},
        given::{hash, secs, session, session_id, user, user_id},
    },
    untold,
};
use revolve_domain::{
    model::{EndReason, Ending, Epoch, Session, User},
    ports::{CreateOutcome, EndOutcome, PasswordChange, PasswordOutcome},
};

async fn end(accounts: &Accounts, session: &Session, reason: EndReason, after: u64) -> EndOutcome {
    accounts
        .sessions
        .end(session.user, session.id, reason, at(after), &untold())
        .await
        .expect("end works")
}

async fn end_all(
    accounts: &Accounts,
    user: &User,
    kept: Option<&Session>,
    after: u64,
) -> Option<Epoch> {
    let kept = kept.map(|session| session.id);
    accounts
        .sessions
        .end_all(user.id, kept, EndReason::SignedOut, at(after), &untold())
        .await
        .expect("end_all works")
}

/// A session is bound once; later calls change nothing, and strange ones nothing either.
pub async fn binding_happens_once(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((user, first), (stranger, _)) = (accounts.signed_up().await, accounts.signed_up().await);
    let second = accounts.signed_in(&user, 10).await;
    let own = [first.device];
    let strange = Session {
        user: stranger.id,
        ..first.clone()
    };
    let never_began = Session {
        id: session_id(),
        ..first.clone()
    };
    for session in [strange, never_began] {
        let bound = accounts.bind(&session, &own, 30).await;
        assert_eq!(bound, None, "there is no such session");
    }
    assert_eq!(accounts.row(&first).await, first, "nobody else binds it");
    for after in [60, 120] {
        let bound = accounts.bind(&first, &own, after).await;
        assert_eq!(bound, Some(first.device), "its own device");
        let bound = Session {
            bound_at: Some(at(60)),
            ..first.clone()
        };
        assert_eq!(
            accounts.row(&first).await,
            bound,
            "bound since the first time, and nothing else changed"
        );
    }
    assert_eq!(
        accounts.row(&second).await,
        second,
        "the other session is as it was"
    );
}

/// A session ends once, for the first reason.
pub async fn the_first_reason_stays(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 10).await;
    assert_eq!(
        end(&accounts, &first, EndReason::Reused, 60).await,
        EndOutcome::Ended,
        "it lived"
    );
    assert_eq!(
        end(&accounts, &first, EndReason::SignedOut, 90).await,
        EndOutcome::AlreadyEnded,
        "it is over already"
    );
    let ended = Session {
        ending: Some(Ending {
            at: at(60),
            reason: EndReason::Reused,
        }),
        ..first.clone()
    };
    assert_eq!(
        accounts.row(&first).await,
        ended,
        "the first time and reason"
    );
    assert_eq!(
        end_all(&accounts, &user, None, 120).await,
        Some(Epoch::new(1)),
        "all end"
    );
    assert_eq!(
        accounts.row(&first).await,
        ended,
        "still the first time and reason"
    );
    assert_eq!(
        accounts.reason(&second).await,
        Some(EndReason::SignedOut),
        "the other one ended then"
    );
    for reason in EndReason::ALL {
        let account = User {
            epoch: Epoch::new(1),
            ..user.clone()
        };
        let session = accounts.signed_in(&account, 180).await;
        assert_eq!(
            end(&accounts, &session, reason, 200).await,
            EndOutcome::Ended,
            "it lived"
        );
        assert_eq!(
            accounts.reason(&session).await,
            Some(reason),
            "every reason can be kept"
        );
    }
}

/// Another user's session can't be ended, nor one that never began.
pub async fn ending_a_strange_session_is_not_found(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((ann, anns), (bob, _)) = (accounts.signed_up().await, accounts.signed_up().await);
    let strange = Session {
        user: bob.id,
        ..anns.clone()
    };
    assert_eq!(
        end(&accounts, &strange, EndReason::SignedOut, 60).await,
        EndOutcome::NotFound,
        "another user's session"
    );
    let unknown = session(&ann, 0);
    assert_eq!(
        end(&accounts, &unknown, EndReason::SignedOut, 60).await,
        EndOutcome::NotFound,
        "a session that never began"
    );
    assert_eq!(accounts.reason(&anns).await, None, "nothing ended");
}

/// The end of all raises the epoch by one and keeps nothing.
pub async fn ending_all_raises_the_epoch(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((user, first), (bob, bobs)) = (accounts.signed_up().await, accounts.signed_up().await);
    let second = accounts.signed_in(&user, 10).await;
    assert_eq!(
        end_all(&accounts, &user, Some(&second), 30).await,
        Some(Epoch::new(1)),
        "the new epoch"
    );
    assert_eq!(
        end_all(&accounts, &user, None, 60).await,
        Some(Epoch::new(2)),
        "the next epoch"
    );
    let expected = User {
        epoch: Epoch::new(2),
        kept_session: None,
        ..user.clone()
    };
    assert_eq!(
        accounts.account(user.id).await,
        Some(expected),
        "raised, and none is kept any more"
    );
    let endings = [(&first, 30), (&second, 60)];
    for (session, after) in endings {
        let ending = Some(Ending {
            at: at(after),
            reason: EndReason::SignedOut,
        });
        assert_eq!(
            accounts.row(session).await,
            Session {
                ending,
                ..session.clone()
            },
            "when and why it ended"
        );
    }
    assert!(
        accounts.live(user.id, at(60)).await.is_empty(),
        "no session lives"
    );
    assert_eq!(
        end_all(&accounts, &user, None, 90).await,
        Some(Epoch::new(3)),
        "also when there is nothing to end"
    );
    assert_eq!(
        accounts.live(bob.id, at(60)).await,
        [bobs.id],
        "other users are left alone"
    );
    assert_eq!(
        accounts.account(bob.id).await,
        Some(bob),
        "and so is their epoch"
    );
}

/// The end of the others keeps the session that asks, although its epoch is older now, also the second time.
pub async fn ending_the_others_keeps_one(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let kept = accounts.signed_in(&user, 10).await;
    for round in 1..=3 {
        assert_eq!(
            end_all(&accounts, &user, Some(&kept), round * 60).await,
            Some(Epoch::new(u32::try_from(round).expect("small"))),
            "raised"
        );
        let expected = User {
            epoch: Epoch::new(u32::try_from(round).expect("small")),
            kept_session: Some(kept.id),
            ..user.clone()
        };
        assert_eq!(
            accounts.account(user.id).await,
            Some(expected.clone()),
            "raised, and one is kept"
        );
        assert_eq!(accounts.row(&kept).await, kept, "its row is as it was");
        assert_eq!(
            accounts.live(user.id, at(round * 60)).await,
            [kept.id],
            "only the kept one lives"
        );
        accounts.signed_in(&expected, round * 60 + 30).await;
    }
    assert_eq!(
        accounts.row(&first).await.ending,
        Some(Ending {
            at: at(60),
            reason: EndReason::SignedOut
        }),
        "the first round's end"
    );
}

/// A session that has ended can't be kept: then nothing ends.
pub async fn ending_the_others_needs_the_kept_one_to_live(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((user, first), (_, strange)) = (accounts.signed_up().await, accounts.signed_up().await);
    let over = accounts.signed_in(&user, 10).await;
    end(&accounts, &over, EndReason::Reused, 30).await;
    for kept in [&over, &strange, &session(&user, 20)] {
        assert_eq!(
            end_all(&accounts, &user, Some(kept), 60).await,
            None,
            "the session that asks is not live"
        );
    }
    let too_late = first.ends_at.plus(secs(60));
    let outcome = accounts
        .sessions
        .end_all(
            user.id,
            Some(first.id),
            EndReason::SignedOut,
            too_late,
            &untold(),
        )
        .await
        .expect("end_all works");
    assert_eq!(
        outcome, None,
        "the session that asks is past its absolute end"
    );
    assert_eq!(
        accounts.account(user.id).await,
        Some(user.clone()),
        "the epoch is as it was"
    );
    assert_eq!(
        accounts.live(user.id, at(60)).await,
        [first.id],
        "nothing ended"
    );
}

/// An unknown account has no sessions to end.
pub async fn ending_all_of_nobody_is_none(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    for kept in [None, Some(session_id())] {
        let outcome = accounts
            .sessions
            .end_all(user_id(), kept, EndReason::SignedOut, at(60), &untold())
            .await
            .expect("end_all works");
        assert_eq!(outcome, None, "there is no such account");
    }
}

/// The live ones come newest first: not the ended, not those past their absolute end, not another user's.
pub async fn live_sessions_come_newest_first(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    accounts.signed_up().await;
    let (late, ended, middle) = (
        accounts.signed_in(&user, 300).await,
        accounts.signed_in(&user, 200).await,
        accounts.signed_in(&user, 100).await,
    );
    end(&accounts, &ended, EndReason::SignedOut, 400).await;
    let live = accounts
        .sessions
        .live(user.id, at(500))
        .await
        .expect("live works");
    assert_eq!(
        live,
        [late.clone(), middle.clone(), first.clone()],
        "whole rows, the newest first"
    );
    assert_eq!(
        accounts.live(user.id, middle.ends_at.plus(secs(60))).await,
        [late.id],
        "the others are past their absolute end"
    );
    assert!(
        accounts.live(user_id(), at(500)).await.is_empty(),
        "nobody has none"
    );
}

/// A session of an older epoch than its user's is not live although its row has no end, unless it is the kept one.
pub async fn a_row_of_an_older_epoch_lives_only_if_kept(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    for is_kept in [false, true] {
        let user = User {
            epoch: Epoch::new(2),
            ..user()
        };
        let older = Session {
            epoch: Epoch::new(1),
            ..session(&user, 0)
        };
        let user = User {
            kept_session: is_kept.then_some(older.id),
            ..user
        };
        assert_eq!(
            accounts.create(&user, &older).await,
            CreateOutcome::Created,
            "a fresh address is free"
        );
        let expected: &[_] = if is_kept { &[older.id] } else { &[] };
        assert_eq!(
            accounts.live(user.id, at(60)).await,
            expected,
            "whether it lives"
        );
        let change = PasswordChange {
            user: user.id,
            session: older.id,
            epoch: user.epoch,
            hash: hash("second"),
            at: at(60),
        };
        let changed = accounts
            .users
            .change_password(&change, &untold())
            .await
            .expect("change_password works");
        let expected = if is_kept {
            PasswordOutcome::Changed(Epoch::new(3))
        } else {
            PasswordOutcome::Superseded
        };
        assert_eq!(changed, expected, "whether it can change the password");
        let expected = is_kept.then_some(Epoch::new(4));
        assert_eq!(
            end_all(&accounts, &user, Some(&older), 90).await,
            expected,
            "whether it can keep itself"
        );
    }
}
