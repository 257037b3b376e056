//! A sign-in ends sessions: replaced, then expired, then evicted; and the rows of ended sessions are bounded.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, IDLE, at, begin},
        given::session,
    },
    untold,
};
use revolve_domain::{
    model::{ClientInfo, EndReason, Ending, Session, SessionId, User, WebOrigin},
    ports::{BeginOutcome, BeginSession},
};

async fn assert_begun(
    accounts: &Accounts,
    begin: BeginSession,
    replaced: &[&Session],
    evicted: &[&Session],
) {
    let sorted = |mut ids: Vec<SessionId>| {
        ids.sort_unstable();
        ids
    };
    let expected =
        |sessions: &[&Session]| sorted(sessions.iter().map(|session| session.id).collect());
    match accounts.begin_with(&begin).await {
        BeginOutcome::Begun {
            replaced: was_replaced,
            evicted: was_evicted,
            ..
        } => {
            assert_eq!(
                sorted(was_replaced),
                expected(replaced),
                "the replaced sessions"
            );
            assert_eq!(
                sorted(was_evicted),
                expected(evicted),
                "the evicted sessions"
            );
        }
        BeginOutcome::Superseded => panic!("expected the sign-in to commit"),
    }
    for (sessions, reason) in [
        (replaced, EndReason::Replaced),
        (evicted, EndReason::Evicted),
    ] {
        for session in sessions {
            let ending = accounts.row(session).await.ending;
            assert_eq!(
                ending,
                Some(Ending {
                    at: begin.session.began_at,
                    reason
                }),
                "how the session ended"
            );
        }
    }
    assert_eq!(
        accounts.row(&begin.session).await,
        begin.session,
        "the new session is there"
    );
}

/// A user with three sessions that began 60 s apart.
async fn three(accounts: &Accounts) -> (User, [Session; 3]) {
    let (user, first) = accounts.signed_up().await;
    let (second, third) = (
        accounts.signed_in(&user, 60).await,
        accounts.signed_in(&user, 120).await,
    );
    (user, [first, second, third])
}

/// A device has one session: signing in again replaces it, and ended ones are not replaced again.
pub async fn a_sign_in_replaces_the_same_device(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, [first, second, third]) = three(&accounts).await;
    let again = Session {
        device: second.device,
        ..session(&user, 180)
    };
    let refreshed = [&first, &second, &third]
        .map(|session| (session.id, at(150)))
        .to_vec();
    assert_begun(
        &accounts,
        BeginSession {
            refreshed,
            ..begin(&again)
        },
        &[&second],
        &[],
    )
    .await;
    let once_more = Session {
        device: second.device,
        ..session(&user, 240)
    };
    assert_begun(&accounts, begin(&once_more), &[&again], &[]).await;
    assert_eq!(
        accounts.live(user.id, at(240)).await,
        [once_more.id, third.id, first.id],
        "one on each device"
    );
}

/// Each origin has a session of its own on a device, and so have the clients without one.
pub async fn a_sign_in_replaces_the_same_client_only(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let on = |origin: Option<&str>, after| Session {
        device: first.device,
        client: ClientInfo {
            origin: origin.and_then(WebOrigin::parse),
            ..ClientInfo::default()
        },
        ..session(&user, after)
    };
    let (shop, blog) = (Some("https://shop.example.org"), Some("null"));
    let mut live = vec![first.clone()];
    for (after, origin) in (60..).zip([shop, blog]) {
        let new = on(origin, after);
        assert_begun(&accounts, begin(&new), &[], &[]).await;
        live.push(new);
    }
    for ((after, origin), old) in (120..).zip([None, shop, blog]).zip(&live) {
        let new = on(origin, after);
        assert_begun(&accounts, begin(&new), &[old], &[]).await;
    }
    let live = accounts.live(user.id, at(180)).await;
    assert_eq!(live.len(), 3, "one for each client");
}

/// Rows that are not in the white list and began longer ago than the idle limit end as expired and are not answered.
pub async fn a_sign_in_expires_what_was_not_refreshed(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, [first, second, third]) = three(&accounts).await;
    let young = accounts.signed_in(&user, 3600).await;
    let now = IDLE + 600;
    let refreshed = vec![(second.id, at(now - 60))];
    let new = session(&user, now);
    let sign_in = BeginSession {
        refreshed,
        ..begin(&new)
    };
    let BeginOutcome::Begun {
        replaced,
        mut expired,
        evicted,
    } = accounts.begin_with(&sign_in).await
    else {
        panic!("expected the sign-in to commit");
    };
    expired.sort_unstable();
    let mut idle = [first.id, third.id];
    idle.sort_unstable();
    assert_eq!((replaced, evicted), (vec![], vec![]));
    assert_eq!(expired, idle, "they are named");
    for idle in [&first, &third] {
        let ending = accounts.row(idle).await.ending;
        assert_eq!(
            ending,
            Some(Ending {
                at: at(now),
                reason: EndReason::Expired
            }),
            "not refreshed in time"
        );
    }
    assert_eq!(
        accounts.live(user.id, at(now)).await,
        [new.id, young.id, second.id],
        "refreshed, or young enough"
    );
}

/// When there are too many, the least recently refreshed end, whenever they began.
pub async fn a_sign_in_evicts_the_least_recently_refreshed(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, [first, second, third]) = three(&accounts).await;
    let refreshed = vec![
        (first.id, at(500)),
        (second.id, at(300)),
        (third.id, at(400)),
    ];
    let full = session(&user, 600);
    assert_begun(
        &accounts,
        BeginSession {
            refreshed: refreshed.clone(),
            max_live: 4,
            ..begin(&full)
        },
        &[],
        &[],
    )
    .await;
    let fourth = session(&user, 700);
    let refreshed = [refreshed, vec![(full.id, at(600))]].concat();
    assert_begun(
        &accounts,
        BeginSession {
            refreshed: refreshed.clone(),
            max_live: 4,
            ..begin(&fourth)
        },
        &[],
        &[&second],
    )
    .await;
    let last = session(&user, 800);
    let refreshed = [refreshed, vec![(fourth.id, at(700))]].concat();
    assert_begun(
        &accounts,
        BeginSession {
            refreshed,
            max_live: 1,
            ..begin(&last)
        },
        &[],
        &[&first, &third, &full, &fourth],
    )
    .await;
    assert_eq!(
        accounts.live(user.id, at(800)).await,
        [last.id],
        "only the new one lives"
    );
}

/// A row that is not in the white list counts by its sign-in, among the times of those that are; white-list
/// entries of sessions without a row have no effect.
pub async fn a_row_without_an_entry_counts_from_its_sign_in(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, [first, second, third]) = three(&accounts).await;
    let stray = crate::contract::given::session_id();
    // first: 110; second: its sign-in, 60; third: its sign-in, 120.
    let refreshed = vec![(first.id, at(110)), (stray, at(1))];
    let new = session(&user, 180);
    assert_begun(
        &accounts,
        BeginSession {
            refreshed,
            max_live: 3,
            ..begin(&new)
        },
        &[],
        &[&second],
    )
    .await;
    let refreshed = vec![(third.id, at(170)), (stray, at(1))];
    let newer = session(&user, 240);
    assert_begun(
        &accounts,
        BeginSession {
            refreshed,
            max_live: 2,
            ..begin(&newer)
        },
        &[],
        &[&first, &third],
    )
    .await;
    assert_eq!(
        accounts.live(user.id, at(240)).await,
        [newer.id, new.id],
        "the two most recent"
    );
}

/// Replaced and expired sessions make room before any is evicted.
pub async fn a_sign_in_replaces_before_it_evicts(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, [first, second, third]) = three(&accounts).await;
    let again = Session {
        device: third.device,
        ..session(&user, 180)
    };
    assert_begun(
        &accounts,
        BeginSession {
            max_live: 3,
            ..begin(&again)
        },
        &[&third],
        &[],
    )
    .await;
    let now = IDLE + 90;
    let refreshed = vec![(second.id, at(300)), (again.id, at(400))];
    let new = session(&user, now);
    assert_begun(
        &accounts,
        BeginSession {
            refreshed,
            max_live: 3,
            ..begin(&new)
        },
        &[],
        &[],
    )
    .await;
    assert_eq!(
        accounts.reason(&first).await,
        Some(EndReason::Expired),
        "not refreshed in time"
    );
    let again = Session {
        device: again.device,
        ..session(&user, now + 60)
    };
    let refreshed = vec![(second.id, at(300)), (new.id, at(now))];
    accounts
        .begin_with(&BeginSession {
            refreshed,
            max_live: 2,
            ..begin(&again)
        })
        .await;
    assert_eq!(
        accounts.reason(&second).await,
        Some(EndReason::Evicted),
        "one too many after the replaced one is gone"
    );
    assert_eq!(
        accounts.live(user.id, at(now + 60)).await,
        [again.id, new.id],
        "the two that are left"
    );
}

/// The oldest rows of ended sessions are deleted, those that this sign-in ends included; never live ones or other users'.
pub async fn ended_rows_are_bounded(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (_, strange) = accounts.signed_up().await;
    accounts
        .sessions
        .end(
            strange.user,
            strange.id,
            EndReason::SignedOut,
            at(1),
            &untold(),
        )
        .await
        .expect("end works");
    let (user, first) = accounts.signed_up().await;
    let mut ended = Vec::new();
    for number in 1..=6 {
        let session = accounts.signed_in(&user, number * 60).await;
        accounts
            .sessions
            .end(
                user.id,
                session.id,
                EndReason::SignedOut,
                at(number * 60 + 30),
                &untold(),
            )
            .await
            .expect("end works");
        ended.push(session);
    }
    let again = Session {
        device: first.device,
        ..session(&user, 600)
    };
    assert_begun(
        &accounts,
        BeginSession {
            max_ended: 3,
            ..begin(&again)
        },
        &[&first],
        &[],
    )
    .await;
    for gone in &ended[..4] {
        assert_eq!(
            accounts.find(user.id, gone.id).await,
            None,
            "the oldest rows go"
        );
    }
    for kept in &ended[4..] {
        assert_eq!(
            accounts.reason(kept).await,
            Some(EndReason::SignedOut),
            "the newest rows stay"
        );
    }
    assert_eq!(
        accounts.live(user.id, at(600)).await,
        [again.id],
        "the live one stays"
    );
    assert_eq!(
        accounts.reason(&strange).await,
        Some(EndReason::SignedOut),
        "another user's row stays"
    );
}
