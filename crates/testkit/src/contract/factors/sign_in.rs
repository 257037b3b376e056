//! Sign-ins by a factor.

use super::{
    BEGUN, FIRST_STEP, Factoring, by_factor, challenge, code_of, mac, passkey, second_step, shown,
};
use crate::contract::{
    FactorsSubject,
    accounts::{at, begin},
    given::{at_once, event_id, session},
};
use crate::untold::untold;
use revolve_domain::{
    factors::FactorUse,
    journal::{Actor, SecurityEvent, Tell},
    model::{
        Challenge, ChallengeKind, ChallengedDevice, EndReason, Passkey, PasskeyCredential, Session,
        TotpStep,
    },
    ports::{BeginOutcome, BeginSession, FactorSignIn, FactorSignInOutcome, JournalQuery},
};

/// Session, device, step and challenge: one commit.
pub async fn a_second_step_begins_the_session(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let accounts = &factoring.accounts;
    let (user, first) = factoring.with_totp().await;
    let challenge = factoring.second_step(&user, 60).await;
    let sign_in = by_factor(&challenge, &user, code_of(FIRST_STEP + 1), 90);
    assert_eq!(factoring.sign_in(&sign_in).await, BEGUN);
    let begun = &sign_in.begin.session;
    assert_eq!(accounts.row(begun).await, *begun);
    assert!(accounts.keeps(&user, begun.device).await);
    let mut live = accounts.live(user.id, at(91)).await;
    live.sort_unstable();
    let mut both = [first.id, begun.id];
    both.sort_unstable();
    assert_eq!(live, both);
    let totp = factoring.of(user.id).await.totp.expect("an app");
    assert_eq!(totp.last_step, Some(TotpStep::new(FIRST_STEP + 1)));
    assert!(factoring.find(&challenge, 91).await.is_none(), "spent");
    let again = by_factor(&challenge, &user, code_of(FIRST_STEP + 2), 92);
    assert_eq!(
        factoring.sign_in(&again).await,
        FactorSignInOutcome::Gone,
        "once"
    );
}

/// A raise of the epoch since, another account's challenge, one of another kind, or one that has expired.
pub async fn a_second_step_that_does_not_hold_changes_nothing(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    let (other, _) = factoring.with_totp().await;
    let used = code_of(FIRST_STEP + 1);
    let challenge = factoring.second_step(&user, 60).await;
    let of_session = super::of_session(ChallengeKind::Reauthentication, &first, 60);
    assert!(factoring.open(&of_session).await);
    let over = 60 + Challenge::LIFETIME.as_secs();
    for (bad, why) in [
        (by_factor(&challenge, &other, used, 90), "another account"),
        (by_factor(&of_session, &user, used, 90), "another kind"),
        (by_factor(&challenge, &user, used, over), "expired"),
        (
            by_factor(&second_step(&user, 60), &user, used, 90),
            "never opened",
        ),
    ] {
        let outcome = factoring.sign_in(&bad).await;
        assert_eq!(outcome, FactorSignInOutcome::Gone, "{why}");
    }
    let raised = factoring
        .accounts
        .sessions
        .end_all(user.id, None, EndReason::SignedOut, at(91), &untold())
        .await;
    raised.expect("end_all works");
    let now = factoring.account(user.id).await;
    for account in [&user, &now] {
        let late = by_factor(&challenge, account, used, 92);
        assert_eq!(
            factoring.sign_in(&late).await,
            FactorSignInOutcome::Gone,
            "a change of password voids it"
        );
    }
    assert!(factoring.accounts.live(user.id, at(93)).await.is_empty());
    let totp = factoring.of(user.id).await.totp.expect("an app");
    assert_eq!(totp.last_step, Some(TotpStep::new(FIRST_STEP)));
}

/// Reuse was found on the device since it was looked at. Challenge and code can be used without it.
pub async fn a_superseded_second_step_spends_nothing(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    let challenge = Challenge {
        device: Some(ChallengedDevice {
            id: first.device,
            is_known: true,
        }),
        ..second_step(&user, 60)
    };
    assert!(factoring.open(&challenge).await);
    let sessions = &factoring.accounts.sessions;
    let reused = sessions
        .end(user.id, first.id, EndReason::Reused, at(70), &untold())
        .await;
    reused.expect("end works");
    let plain = by_factor(&challenge, &user, code_of(FIRST_STEP + 1), 90);
    let kept = FactorSignIn {
        begin: BeginSession {
            session: Session {
                bound_at: Some(at(90)),
                ..plain.begin.session.clone()
            },
            ..plain.begin.clone()
        },
        ..plain.clone()
    };
    assert_eq!(
        factoring.sign_in(&kept).await,
        FactorSignInOutcome::SignedIn(BeginOutcome::Superseded)
    );
    assert!(factoring.find(&challenge, 91).await.is_some());
    assert_eq!(factoring.sign_in(&plain).await, BEGUN);
}

/// The counter is kept whatever it was, and only the account's own passkey counts.
pub async fn a_passkey_alone_begins_a_session(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, _, key) = factoring.with_passkey().await;
    let (other, _, others) = factoring.with_passkey().await;
    let open = async || {
        let challenge = challenge(ChallengeKind::PasskeySignIn, None, 60);
        assert!(factoring.open(&challenge).await);
        challenge
    };
    let challenge = open().await;
    for (bad, why) in [
        (shown(&others, 9), "another account's"),
        (shown(&passkey(user.id), 9), "unknown"),
        (code_of(FIRST_STEP + 1), "no passkey"),
        (
            FactorUse::RecoveryCode { mac: mac(1, 0) },
            "a recovery code is no first step",
        ),
    ] {
        let outcome = factoring
            .sign_in(&by_factor(&challenge, &user, bad, 90))
            .await;
        assert_eq!(outcome, FactorSignInOutcome::Gone, "{why}");
    }
    for (counter, after) in [(9, 90), (4, 95)] {
        let challenge = open().await;
        let sign_in = by_factor(&challenge, &user, shown(&key, counter), after);
        assert_eq!(factoring.sign_in(&sign_in).await, BEGUN);
        assert_eq!(
            factoring.of(user.id).await.passkeys,
            [Passkey {
                used_at: Some(at(after)),
                credential: PasskeyCredential {
                    counter,
                    backed_up: true,
                    ..key.credential.clone()
                },
                ..key.clone()
            }]
        );
    }
    assert_eq!(factoring.of(other.id).await.passkeys, [others]);
}

/// Without one that is shown, once the account has it. The one of an account without a factor begins.
pub async fn no_session_begins_without_a_factor_that_is_needed(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let without = |user, after| BeginSession {
        unless_factor: true,
        ..begin(&session(user, after))
    };
    let begun = factoring.accounts.begin_with(&without(&user, 60)).await;
    assert!(matches!(begun, BeginOutcome::Begun { .. }));
    factoring.add_totp(&user, &first).await;
    let user = factoring.account(user.id).await;
    let late = without(&user, 70);
    assert_eq!(
        factoring.accounts.begin_with(&late).await,
        BeginOutcome::Superseded
    );
    let found = factoring.accounts.find(user.id, late.session.id).await;
    assert!(found.is_none(), "nothing was stored");
    let shown = BeginSession {
        unless_factor: false,
        ..late
    };
    let begun = factoring.accounts.begin_with(&shown).await;
    assert!(matches!(begun, BeginOutcome::Begun { .. }));
}

/// One of many with one challenge.
pub async fn parallel_answers_to_one_challenge_begin_one_session(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first, key) = factoring.with_passkey().await;
    let challenge = factoring.second_step(&user, 60).await;
    let answers = (0..20).map(|_| {
        let sign_in = by_factor(&challenge, &user, shown(&key, 9), 90);
        let factoring = Factoring::new(subject);
        async move { factoring.sign_in(&sign_in).await }
    });
    let outcomes = at_once(answers).await;
    let begun = outcomes
        .iter()
        .filter(|outcome| **outcome != FactorSignInOutcome::Gone);
    assert_eq!(begun.count(), 1, "{outcomes:?}");
    let live = factoring.accounts.live(user.id, at(91)).await;
    assert!(live.len() == 2 && live.contains(&first.id));
}

/// What an outcome tells is in the journal if, and only if, it is committed.
pub async fn what_a_second_step_tells_is_committed_with_it(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, _) = factoring.with_totp().await;
    let challenge = factoring.second_step(&user, 60).await;
    let told = SecurityEvent::FactorRequested {
        user: user.id,
        address: None,
    };
    let sign_in = async |used| {
        let told = told.clone();
        let tell = Tell::new(
            event_id(),
            at(90),
            Actor::User(user.id),
            move |outcome: &FactorSignInOutcome| match outcome {
                FactorSignInOutcome::SignedIn(_) => vec![told.clone()],
                _ => Vec::new(),
            },
        );
        let sign_in = by_factor(&challenge, &user, used, 90);
        let outcome = factoring.factors.sign_in(&sign_in, &tell).await;
        outcome.expect("sign_in works");
    };
    let entries = async || {
        let query = JournalQuery {
            user: Some(user.id),
            limit: 10,
            ..JournalQuery::default()
        };
        let entries = subject.journal().read(&query).await;
        entries.expect("read works").len()
    };
    sign_in(code_of(FIRST_STEP)).await;
    assert_eq!(entries().await, 0, "the code was used before");
    sign_in(code_of(FIRST_STEP + 1)).await;
    assert_eq!(entries().await, 1);
}
