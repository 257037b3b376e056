//! Disabling and enabling accounts.

use crate::{
    contract::{
        DirectorySubject,
        accounts::{Accounts, at},
        given::{at_once, random, session, user_id},
    },
    untold,
};
use revolve_domain::{
    journal::{Actor, Tell},
    model::{EndReason, Ending, Epoch, EventId, Standing, User},
    ports::{BeginOutcome, DisableOutcome, EnableOutcome, JournalQuery, SecurityEvent},
    revocations::RaisedEpoch,
};

async fn disable(subject: &dyn DirectorySubject, user: &User, after: u64) -> DisableOutcome {
    subject
        .directory()
        .disable(user.id, at(after), &untold())
        .await
        .expect("disable works")
}

async fn enable(subject: &dyn DirectorySubject, user: &User) -> EnableOutcome {
    subject
        .directory()
        .enable(user.id, &untold())
        .await
        .expect("enable works")
}

/// The account has the time, and its live sessions have ended for that reason; those that had ended before and other users' are
/// unchanged.
pub async fn a_disabled_account_is_signed_out(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let ((user, first), (bob, bobs)) = (accounts.signed_up().await, accounts.signed_up().await);
    let over = accounts.signed_in(&user, 10).await;
    accounts
        .sessions
        .end(user.id, over.id, EndReason::SignedOut, at(20), &untold())
        .await
        .expect("end works");
    assert_eq!(
        disable(subject, &user, 60).await,
        DisableOutcome::Disabled(Epoch::new(1)),
        "it was not disabled"
    );
    let expected = User {
        disabled_at: Some(at(60)),
        epoch: Epoch::new(1),
        kept_session: None,
        version: user.version.next(at(60)),
        ..user.clone()
    };
    assert_eq!(
        accounts.account(user.id).await,
        Some(expected),
        "disabled, and the epoch rose"
    );
    let ending = Ending {
        at: at(60),
        reason: EndReason::AccountDisabled,
    };
    assert_eq!(
        accounts.row(&first).await.ending,
        Some(ending),
        "the session has ended"
    );
    assert_eq!(
        accounts.reason(&over).await,
        Some(EndReason::SignedOut),
        "the first reason stays"
    );
    let standing = accounts
        .find(user.id, first.id)
        .await
        .expect("the row is there")
        .standing(at(61));
    assert_eq!(
        standing,
        Standing::Ended(EndReason::AccountDisabled),
        "and says so"
    );
    assert_eq!(
        accounts.account(bob.id).await,
        Some(bob.clone()),
        "nobody else is disabled"
    );
    assert_eq!(
        accounts.live(bob.id, at(61)).await,
        [bobs.id],
        "nor signed out"
    );
}

/// The second time: the time of the first stays, and live sessions end.
pub async fn a_disabled_account_stays_so_since_the_first_time(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    assert_eq!(
        disable(subject, &user, 60).await,
        DisableOutcome::Disabled(Epoch::new(1)),
        "the first time"
    );
    assert_eq!(
        disable(subject, &user, 90).await,
        DisableOutcome::AlreadyDisabled(Epoch::new(2)),
        "the second time"
    );
    let expected = User {
        disabled_at: Some(at(60)),
        epoch: Epoch::new(2),
        version: user.version.next(at(60)),
        ..user.clone()
    };
    assert_eq!(
        accounts.account(user.id).await,
        Some(expected),
        "since the first time"
    );
}

/// The end of the sessions is among the revocations.
pub async fn disabling_revokes_for_those_who_verify(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    disable(subject, &user, 60).await;
    let revoked = accounts.revoked(at(60)).await;
    assert!(
        revoked
            .ends
            .iter()
            .any(|end| (end.session, end.user, end.at) == (first.id, user.id, at(60))),
        "the session"
    );
    assert!(
        revoked.raised.contains(&RaisedEpoch {
            user: user.id,
            epoch: Epoch::new(1),
            kept: None,
            at: at(60)
        }),
        "and the epoch"
    );
}

/// Of sign-ins that run while the account is disabled none is live afterwards.
pub async fn a_sign_in_does_not_outlive_a_disabling(subject: &dyn DirectorySubject) {
    for _ in 0..5 {
        let accounts = Accounts::new(subject);
        let (user, _) = accounts.signed_up().await;
        let begins = (0..8).map(|i| {
            let (sessions, begin) = (
                subject.sessions(),
                crate::contract::accounts::begin(&session(&user, 10 + i)),
            );
            let begin = async move {
                drop(
                    sessions
                        .begin(&begin, &untold())
                        .await
                        .expect("begin works"),
                );
            };
            Box::pin(begin) as crate::contract::given::BoxedCall
        });
        let (directory, id) = (subject.directory(), user.id);
        let disabling = async move {
            let outcome = directory
                .disable(id, at(30), &untold())
                .await
                .expect("disable works");
            assert!(
                matches!(outcome, DisableOutcome::Disabled(_)),
                "the account is there"
            );
        };
        at_once(begins.chain([Box::pin(disabling) as crate::contract::given::BoxedCall])).await;
        assert!(
            accounts.live(user.id, at(40)).await.is_empty(),
            "no session lives"
        );
        assert_eq!(
            enable(subject, &user).await,
            EnableOutcome::Enabled,
            "it was disabled"
        );
        assert!(
            accounts.live(user.id, at(40)).await.is_empty(),
            "nor does one come back"
        );
    }
}

/// Ended sessions stay ended; a new sign-in succeeds.
pub async fn an_enabled_account_signs_in_again(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    assert_eq!(
        enable(subject, &user).await,
        EnableOutcome::NotDisabled,
        "it never was disabled"
    );
    assert_eq!(
        accounts.live(user.id, at(30)).await,
        [first.id],
        "nothing changed"
    );
    disable(subject, &user, 60).await;
    let enabled_at = untold::<EnableOutcome>().at;
    let disabled = User {
        epoch: Epoch::new(1),
        version: user.version.next(at(60)).next(enabled_at),
        ..user.clone()
    };
    assert_eq!(
        accounts.begin(&session(&disabled, 70)).await,
        BeginOutcome::Superseded,
        "who is disabled does not sign in"
    );
    assert_eq!(
        enable(subject, &user).await,
        EnableOutcome::Enabled,
        "it was disabled"
    );
    assert_eq!(
        enable(subject, &user).await,
        EnableOutcome::NotDisabled,
        "it is not any more"
    );
    assert_eq!(
        accounts.account(user.id).await,
        Some(disabled.clone()),
        "the account is as it was, but for epoch and version"
    );
    assert_eq!(
        accounts.reason(&first).await,
        Some(EndReason::AccountDisabled),
        "the session stays ended"
    );
    let again = accounts.signed_in(&disabled, 90).await;
    assert_eq!(
        accounts.live(user.id, at(100)).await,
        [again.id],
        "the new one lives"
    );
}

/// An unknown account can't be disabled.
pub async fn nobody_is_neither_disabled_nor_enabled(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, _) = accounts.signed_up().await;
    assert!(
        accounts
            .users
            .delete(user.id, None, at(60), &untold())
            .await
            .expect("delete works"),
        "there was an account"
    );
    for id in [user.id, user_id()] {
        assert_eq!(
            subject
                .directory()
                .disable(id, at(90), &untold())
                .await
                .expect("disable works"),
            DisableOutcome::NotFound,
            "no account"
        );
        assert_eq!(
            subject
                .directory()
                .enable(id, &untold())
                .await
                .expect("enable works"),
            EnableOutcome::NotFound,
            "no account"
        );
    }
}

/// Each in its commit.
pub async fn disabling_and_enabling_tell(subject: &impl DirectorySubject) {
    let (accounts, directory) = (Accounts::new(subject), subject.directory());
    let (user, _) = accounts.signed_up().await;
    let id = user.id;
    let disabled = Tell::new(
        EventId::from_random(random()),
        at(1),
        Actor::Operator,
        move |_: &DisableOutcome| vec![SecurityEvent::AccountDisabled { user: id }],
    );
    let enabled = Tell::new(
        EventId::from_random(random()),
        at(2),
        Actor::Operator,
        move |_: &EnableOutcome| vec![SecurityEvent::AccountEnabled { user: id }],
    );
    directory
        .disable(id, at(1), &disabled)
        .await
        .expect("disable works");
    directory.enable(id, &enabled).await.expect("enable works");
    let query = JournalQuery {
        user: Some(id),
        limit: 100,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    let names: Vec<_> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(names, ["account.enabled", "account.disabled"]);
}
