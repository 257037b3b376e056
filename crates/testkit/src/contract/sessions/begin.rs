//! The commit of a sign-in.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at, begin},
        given::{BoxedCall, at_once, device_id, session, session_id, user},
    },
    untold,
};
use revolve_domain::{
    model::{AuthMethods, ClientInfo, EndReason, Epoch, Session, User, WebOrigin},
    ports::{BeginOutcome, BeginSession, CreateOutcome, EndOutcome},
};
use std::net::Ipv6Addr;

/// A session is stored unchanged, with any values.
pub async fn a_session_reads_back_as_begun(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let full = session(&user, 60);
    let bare = Session {
        device_name: None,
        client: ClientInfo::default(),
        ..session(&user, 61)
    };
    // Of another client on a device that is known.
    let bound = Session {
        device: first.device,
        client: ClientInfo {
            origin: WebOrigin::parse("https://app.example.org"),
            ..ClientInfo::default()
        },
        bound_at: Some(at(62)),
        ..session(&user, 62)
    };
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let v6 = Session {
        client: ClientInfo {
            address: Some(v6.into()),
            ..ClientInfo::default()
        },
        ..session(&user, 63)
    };
    let page = Session {
        client: ClientInfo {
            origin: WebOrigin::parse("https://app.example.org:8443"),
            ..ClientInfo::default()
        },
        ..session(&user, 64)
    };
    let by_code = Session {
        authenticated_by: AuthMethods::CODE,
        ..session(&user, 65)
    };
    let by_both = Session {
        authenticated_by: AuthMethods::CODE_AND_PASSWORD,
        ..session(&user, 66)
    };
    for session in [full, bare, bound, v6, page, by_code, by_both] {
        let begun = accounts.begin(&session).await;
        assert_eq!(
            begun,
            BeginOutcome::Begun {
                replaced: vec![],
                expired: vec![],
                evicted: vec![]
            },
            "a sign-in with wide limits ends nothing"
        );
        let record = accounts
            .find(user.id, session.id)
            .await
            .expect("the row is there");
        assert_eq!(
            (record.session, record.user),
            (session, Some(user.clone())),
            "session and user in one"
        );
    }
}

/// Another user's session is not found, like one that never began.
pub async fn the_session_of_another_user_is_not_found(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((ann, anns), (bob, _)) = (accounts.signed_up().await, accounts.signed_up().await);
    assert_eq!(
        accounts.find(bob.id, anns.id).await,
        None,
        "another user's session"
    );
    assert_eq!(
        accounts.find(ann.id, session_id()).await,
        None,
        "a session that never began"
    );
    assert!(
        accounts.find(ann.id, anns.id).await.is_some(),
        "their own session"
    );
}

/// A sign-in whose password was read under an older epoch, or a newer one, does not commit.
pub async fn a_sign_in_under_an_older_epoch_is_superseded(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    accounts
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
    for epoch in [0, 2] {
        // On the kept session's device and over the limit: neither may have an effect.
        let late = Session {
            epoch: Epoch::new(epoch),
            device: first.device,
            ..session(&user, 90)
        };
        let outcome = accounts
            .begin_with(&BeginSession {
                max_live: 1,
                ..begin(&late)
            })
            .await;
        assert_eq!(
            outcome,
            BeginOutcome::Superseded,
            "epoch {epoch} while the user's is 1"
        );
        assert_eq!(
            accounts.find(user.id, late.id).await,
            None,
            "no session began"
        );
    }
    assert_eq!(
        accounts.live(user.id, at(90)).await,
        [first.id],
        "nothing changed"
    );
    let same = Session {
        epoch: Epoch::new(1),
        ..session(&user, 120)
    };
    assert!(
        matches!(accounts.begin(&same).await, BeginOutcome::Begun { .. }),
        "the user's epoch"
    );
}

/// A disabled account gets no new sessions. (An adapter stores `disabled_at` at `create`, as everything in the user.)
pub async fn a_sign_in_of_a_disabled_account_is_superseded(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let user = User {
        disabled_at: Some(at(10)),
        ..user()
    };
    assert_eq!(
        accounts.create(&user, &session(&user, 0)).await,
        CreateOutcome::Created,
        "a fresh address is free"
    );
    assert_eq!(
        accounts.account(user.id).await,
        Some(user.clone()),
        "the account reads back as disabled"
    );
    let late = session(&user, 60);
    assert_eq!(
        accounts.begin(&late).await,
        BeginOutcome::Superseded,
        "the account is disabled"
    );
    assert_eq!(
        accounts.find(user.id, late.id).await,
        None,
        "no session began"
    );
}

/// A deleted account gets no new sessions, and neither does an unknown one.
pub async fn a_sign_in_of_a_deleted_account_is_superseded(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (deleted, _) = accounts.signed_up().await;
    accounts
        .users
        .delete(deleted.id, None, at(30), &untold())
        .await
        .expect("delete works");
    for user in [deleted, user()] {
        let late = session(&user, 60);
        assert_eq!(
            accounts.begin(&late).await,
            BeginOutcome::Superseded,
            "there is no such account"
        );
        assert_eq!(
            accounts.find(user.id, late.id).await,
            None,
            "no session began"
        );
    }
}

/// A session that is bound from the beginning does not begin on a device that ceased to be current while the password was hashed: reuse
/// was found on it, or it was forgotten. Nor does it on another user's or a strange one.
pub async fn a_sign_in_that_keeps_a_device_needs_it_to_be_current(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((mut user, first), (_, others)) = (accounts.signed_up().await, accounts.signed_up().await);
    let (copied, forgotten) = (
        accounts.signed_in(&user, 10).await,
        accounts.signed_in(&user, 20).await,
    );
    let reuse = accounts
        .sessions
        .end(user.id, copied.id, EndReason::Reused, at(30), &untold())
        .await;
    assert_eq!(reuse.expect("end works"), EndOutcome::Ended);
    let replacing = session(&user, 40);
    accounts
        .begin_with(&BeginSession {
            former_devices: vec![forgotten.device],
            ..begin(&replacing)
        })
        .await;
    let keeping = |user: &User, device, after| Session {
        device,
        bound_at: Some(at(after)),
        ..session(user, after)
    };
    let live = accounts.live(user.id, at(60)).await;
    for device in [copied.device, forgotten.device, others.device, device_id()] {
        let known = accounts.known(&user, &[device]).await;
        let late = keeping(&user, device, 60);
        assert_eq!(accounts.begin(&late).await, BeginOutcome::Superseded);
        assert_eq!(accounts.find(user.id, late.id).await, None, "none began");
        assert_eq!(accounts.known(&user, &[device]).await, known);
    }
    assert_eq!(
        accounts.live(user.id, at(60)).await,
        live,
        "nothing changed"
    );
    let kept = keeping(&user, first.device, 70);
    assert_eq!(
        accounts.begin(&kept).await,
        BeginOutcome::Begun {
            replaced: vec![first.id],
            expired: vec![],
            evicted: vec![]
        },
        "its device is current"
    );
    accounts
        .sessions
        .end_all(
            user.id,
            Some(kept.id),
            EndReason::SignedOut,
            at(80),
            &untold(),
        )
        .await
        .expect("end_all works");
    user.epoch = user.epoch.next();
    let late = keeping(&user, first.device, 90);
    assert_eq!(
        accounts.begin(&late).await,
        BeginOutcome::Superseded,
        "signed in on under an older epoch"
    );
}

/// Of a sign-in that keeps a device and of reuse that is found on it at the same time, one comes first: either the sign-in has replaced the
/// session, or it does not begin. The device is not current afterwards.
pub async fn a_sign_in_keeps_no_device_on_which_reuse_is_found_meanwhile(
    subject: &dyn AccountsSubject,
) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    for round in 1..=20 {
        let copied = accounts.signed_in(&user, round).await;
        let late = Session {
            device: copied.device,
            bound_at: Some(at(round)),
            ..session(&user, round)
        };
        let sessions = subject.sessions();
        let begun = {
            let (sessions, begin) = (sessions.clone(), begin(&late));
            Box::pin(async move {
                let begun = sessions
                    .begin(&begin, &untold())
                    .await
                    .expect("begin works");
                begun != BeginOutcome::Superseded
            }) as BoxedCall<bool>
        };
        let (id, at) = (copied.id, at(round));
        let reused = Box::pin(async move {
            let ended = sessions
                .end(copied.user, id, EndReason::Reused, at, &untold())
                .await;
            ended.expect("end works") == EndOutcome::Ended
        }) as BoxedCall<bool>;
        let done = at_once([begun, reused]).await;
        let done = done.into_iter().filter(|done| *done).count();
        assert_eq!(done, 1, "round {round}");
        assert!(
            !accounts.keeps(&user, late.device).await,
            "whichever came first"
        );
    }
}

/// With many concurrent sign-ins the limit holds, and each session that ended is answered once.
pub async fn parallel_sign_ins_keep_max_live(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let sessions: Vec<_> = (1..=30).map(|after| session(&user, after)).collect();
    let outcomes = at_once(sessions.iter().map(|session| {
        let (sessions, begin) = (
            subject.sessions(),
            BeginSession {
                max_live: 5,
                max_ended: 1000,
                ..begin(session)
            },
        );
        async move {
            sessions
                .begin(&begin, &untold())
                .await
                .expect("begin works")
        }
    }))
    .await;
    let mut gone: Vec<_> = outcomes
        .into_iter()
        .flat_map(|outcome| match outcome {
            BeginOutcome::Begun {
                replaced, evicted, ..
            } => {
                assert!(replaced.is_empty(), "each has a device of its own");
                evicted
            }
            BeginOutcome::Superseded => panic!("expected every sign-in to commit"),
        })
        .collect();
    let live = accounts.live(user.id, at(60)).await;
    assert_eq!(live.len(), 5, "as many live as may");
    gone.extend(&live);
    gone.sort_unstable();
    let mut all: Vec<_> = sessions
        .iter()
        .chain([&first])
        .map(|session| session.id)
        .collect();
    all.sort_unstable();
    assert_eq!(
        gone, all,
        "each session either lives or was named once as evicted"
    );
}

/// Of concurrent sign-ins on one device, one is live afterwards.
pub async fn parallel_sign_ins_on_one_device_replace_each_other(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let device = device_id();
    at_once((1..=20).map(|after| {
        let (sessions, begin) = (
            subject.sessions(),
            begin(&Session {
                device,
                ..session(&user, after)
            }),
        );
        async move {
            drop(
                sessions
                    .begin(&begin, &untold())
                    .await
                    .expect("begin works"),
            );
        }
    }))
    .await;
    let live = accounts.live(user.id, at(60)).await;
    assert_eq!(live.len(), 2, "one on each device, got {live:?}");
    assert!(live.contains(&first.id), "the other device is left alone");
}

/// After the end of all sessions none of an older epoch is live, whatever sign-ins ran concurrently.
pub async fn a_sign_in_does_not_outlive_an_epoch_raise(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (mut user, _) = accounts.signed_up().await;
    for round in 1..=10 {
        let begins = (0..8).map(|_| {
            let (sessions, begin) = (subject.sessions(), begin(&session(&user, round * 60)));
            Box::pin(async move {
                drop(
                    sessions
                        .begin(&begin, &untold())
                        .await
                        .expect("begin works"),
                );
            }) as crate::contract::given::BoxedCall
        });
        let (sessions, id) = (subject.sessions(), user.id);
        let raise = Box::pin(async move {
            sessions
                .end_all(id, None, EndReason::SignedOut, at(round * 60), &untold())
                .await
                .expect("end_all works");
        }) as crate::contract::given::BoxedCall;
        at_once(begins.chain([raise])).await;
        assert!(
            accounts.live(user.id, at(round * 60 + 1)).await.is_empty(),
            "no session of the older epoch lives"
        );
        user = accounts
            .account(user.id)
            .await
            .expect("the account is there");
    }
}
