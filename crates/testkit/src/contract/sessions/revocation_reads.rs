//! Reads of revocations in parts: each goes on where another ended. Stores are shared with other cases, so each checks its own ids only.

use super::revoked::ended;
use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at, begin, everything_since},
        given::{at_once, session, user},
    },
    untold,
};
use revolve_domain::{
    model::{EndReason, Epoch, Session},
    ports::{BeginSession, CreateOutcome},
    revocations::{CommitSnapshot, RevocationQuery, SessionEnd},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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
                    .revoked(&everything_since(at(60)))
                    .await
                    .expect("revoked works");
                let session = now.ends.iter().any(|end| end.session == first.id);
                let epoch = now.raised.iter().any(|raised| raised.user == first.user);
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
            .end_all(user.id, None, EndReason::SignedOut, at(60), &untold())
            .await
            .expect("end_all works");
        accounts
            .users
            .delete(user.id, None, at(61), &untold())
            .await
            .expect("delete works");
        over.store(true, Ordering::SeqCst);
        looking.await.expect("nobody saw half of it");
    }
}

/// The ends that a snapshot did not see, among these sessions.
async fn unseen(
    accounts: &Accounts,
    seen: &CommitSnapshot,
    which: &[&Session],
) -> (CommitSnapshot, Vec<SessionEnd>) {
    let query = RevocationQuery {
        unseen_by: Some(seen.clone()),
        ..everything_since(at(0))
    };
    let read = accounts
        .sessions
        .revoked(&query)
        .await
        .expect("revoked works");
    let of_these = |end: &SessionEnd| which.iter().any(|session| session.id == end.session);
    (
        read.snapshot,
        read.ends.into_iter().filter(of_these).collect(),
    )
}

/// A read goes on where another ended: each end is seen once, with its user's raised epoch, whichever way the session ended.
pub async fn a_read_goes_on_where_another_ended(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let (gone, other) = accounts.signed_up().await;
    let (second, third) = (
        accounts.signed_in(&user, 10).await,
        accounts.signed_in(&user, 20).await,
    );
    let again = Session {
        device: first.device,
        ..session(&user, 40)
    };
    let all = [&first, &second, &third, &again, &other];
    let mut seen = accounts.revoked(at(0)).await.snapshot;
    assert_eq!(unseen(&accounts, &seen, &all).await.1, [], "nothing ended");

    for (step, session) in [&second, &first, &third, &other].into_iter().enumerate() {
        match step {
            0 => {
                let tell = untold();
                let ended =
                    accounts
                        .sessions
                        .end(user.id, second.id, EndReason::SignedOut, at(30), &tell);
                ended.await.expect("end works");
            }
            1 => {
                accounts.begin(&again).await;
            }
            2 => {
                let kept = Some(again.id);
                let tell = untold();
                let ended =
                    accounts
                        .sessions
                        .end_all(user.id, kept, EndReason::SignedOut, at(50), &tell);
                ended.await.expect("end_all works");
            }
            _ => {
                let tell = untold();
                let deleted = accounts.users.delete(gone.id, None, at(60), &tell);
                deleted.await.expect("delete works");
            }
        }
        let (snapshot, ends) = unseen(&accounts, &seen, &all).await;
        let ids: Vec<_> = ends.iter().map(|end| (end.session, end.user)).collect();
        assert_eq!(ids, [(session.id, session.user)], "step {step}");
        assert!(
            snapshot.saw(ends[0].commit) && !seen.saw(ends[0].commit),
            "{ends:?} by {snapshot:?} after {seen:?}"
        );
        assert!(!seen.is_undone_by(&snapshot), "{seen:?}, {snapshot:?}");
        seen = snapshot;
        assert_eq!(unseen(&accounts, &seen, &all).await.1, [], "seen once");
    }
    let query = RevocationQuery {
        unseen_by: Some(CommitSnapshot::serial(seen.source(), 0)),
        ..everything_since(at(0))
    };
    let read = accounts
        .sessions
        .revoked(&query)
        .await
        .expect("revoked works");
    let epoch = read.raised.iter().find(|raised| raised.user == user.id);
    assert_eq!(
        epoch.map(|raised| (raised.epoch, raised.kept, raised.at)),
        Some((Epoch::new(1), Some(again.id), at(50))),
        "with the ends comes the epoch"
    );
}

/// Reads that run beside ends and go on from one another see every end, and none that a snapshot claims to have seen is
/// missing.
pub async fn no_end_falls_between_two_reads(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let mut all = vec![first];
    for after in 1..40 {
        all.push(accounts.signed_in(&user, after).await);
    }
    let start = accounts.revoked(at(0)).await.snapshot;
    let over = Arc::new(AtomicBool::new(false));
    let (sessions, stop) = (accounts.sessions.clone(), over.clone());
    let reading = tokio::spawn(async move {
        let (mut seen, mut found) = (start, Vec::new());
        loop {
            // What ended before this look is in the read after it.
            let last = stop.load(Ordering::SeqCst);
            let query = RevocationQuery {
                unseen_by: Some(seen.clone()),
                ..everything_since(at(0))
            };
            let read = sessions.revoked(&query).await.expect("revoked works");
            found.extend(read.ends.iter().map(|end| end.session));
            seen = read.snapshot;
            if last {
                return found;
            }
        }
    });
    let ends = all.iter().map(|session| {
        let (sessions, user, session) = (accounts.sessions.clone(), session.user, session.id);
        async move {
            sessions
                .end(user, session, EndReason::SignedOut, at(60), &untold())
                .await
                .expect("end works")
        }
    });
    drop(at_once(ends).await);
    over.store(true, Ordering::SeqCst);
    let found = reading.await.expect("the reader goes on");
    for session in &all {
        let times = found.iter().filter(|found| **found == session.id).count();
        assert!(times > 0, "{session:?} in {found:?}");
    }
}

/// A user with many ends comes with the sessions that live, also if there are none.
pub async fn a_crowded_user_comes_with_what_lives(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let (quiet, _) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 10).await;
    for (number, after) in [20, 21, 22].into_iter().enumerate() {
        let session = accounts.signed_in(&user, after).await;
        let query = RevocationQuery {
            crowded: 3,
            ..everything_since(at(20))
        };
        let living = accounts
            .sessions
            .revoked(&query)
            .await
            .expect("revoked works")
            .living;
        assert!(!living.contains_key(&user.id), "{number} ends are few");
        accounts
            .sessions
            .end(
                user.id,
                session.id,
                EndReason::SignedOut,
                at(after),
                &untold(),
            )
            .await
            .expect("end works");
    }
    let living = async |crowded, since| {
        let query = RevocationQuery {
            crowded,
            ..everything_since(at(since))
        };
        let read = accounts
            .sessions
            .revoked(&query)
            .await
            .expect("revoked works");
        assert!(!read.living.contains_key(&quiet.id), "nothing ended");
        read.living.get(&user.id).map(|living| {
            let mut living = living.clone();
            living.sort_unstable();
            living
        })
    };
    let mut both = vec![first.id, second.id];
    both.sort_unstable();
    assert_eq!(living(3, 20).await, Some(both));
    assert_eq!(living(4, 20).await, None, "there are three ends");
    assert_eq!(living(3, 21).await, None, "two of them within the window");
    accounts
        .sessions
        .end_all(user.id, None, EndReason::SignedOut, at(30), &untold())
        .await
        .expect("end_all works");
    assert_eq!(living(3, 20).await, Some(vec![]), "none lives");
}

/// A row is dropped only once its end is settled, however many there are.
pub async fn ends_that_are_not_settled_are_not_dropped(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    let mut over = Vec::new();
    for after in [10, 20, 30, 40] {
        let session = accounts.signed_in(&user, after).await;
        accounts
            .sessions
            .end(
                user.id,
                session.id,
                EndReason::SignedOut,
                at(after),
                &untold(),
            )
            .await
            .expect("end works");
        over.push(session);
    }
    let last = session(&user, 50);
    accounts
        .begin_with(&BeginSession {
            max_ended: 1,
            settled: at(20),
            ..begin(&last)
        })
        .await;
    let which: Vec<_> = over.iter().collect();
    let found = ended(&accounts, at(0), &which).await;
    assert_eq!(found, [None, Some(at(20)), Some(at(30)), Some(at(40))]);
}
