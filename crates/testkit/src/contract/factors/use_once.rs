//! What counts once: codes of apps, recovery codes, and what is shown in a session.

use super::{
    BEGUN, FIRST_STEP, Factoring, asking, by_factor, code_of, mac, of_session, passkey, shown, totp,
};
use crate::contract::{FactorsSubject, accounts::at, given::at_once};
use crate::untold::untold;
use revolve_domain::{
    factors::{FactorUse, RemovedFactor},
    model::{Challenge, ChallengeKind, EndReason, Session, Totp, TotpStep},
    ports::{
        AddFactorOutcome, Asking, FactorRemoval, FactorSignInOutcome, RemoveFactorOutcome,
        ShowOutcome, ShownInSession,
    },
};

fn recovery_code(second: u8) -> FactorUse {
    FactorUse::RecoveryCode {
        mac: mac(1, second),
    }
}

/// Of a step that is not later than the last one that counted, that of the first code included; whatever the challenge.
pub async fn a_code_counts_once(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, _) = factoring.with_totp().await;
    for (step, expected) in [
        (FIRST_STEP, FactorSignInOutcome::CodeUsed),
        (FIRST_STEP - 1, FactorSignInOutcome::CodeUsed),
        (FIRST_STEP + 2, BEGUN),
        (FIRST_STEP + 2, FactorSignInOutcome::CodeUsed),
        (FIRST_STEP + 1, FactorSignInOutcome::CodeUsed),
        (FIRST_STEP + 3, BEGUN),
    ] {
        let challenge = factoring.second_step(&user, 60).await;
        let sign_in = by_factor(&challenge, &user, code_of(step), 90);
        assert_eq!(factoring.sign_in(&sign_in).await, expected, "step {step}");
        let is_open = factoring.find(&challenge, 91).await.is_some();
        assert_eq!(is_open, expected != BEGUN, "step {step}");
    }
}

/// Another app has taken its place since the code was compared with the secret.
pub async fn a_code_of_an_app_that_was_removed_does_not_count(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    let removal = FactorRemoval {
        user: user.id,
        factor: RemovedFactor::Totp,
        needs_factor: false,
        asking: asking(&first),
        at: at(60),
    };
    let removed = factoring.factors.remove(&removal, &untold()).await;
    assert_eq!(removed.expect("remove works"), RemoveFactorOutcome::Removed);
    let first = factoring.present(first).await;
    let app = Totp {
        created_at: at(61),
        ..totp(user.id)
    };
    factoring.set_up_totp(&app, &first).await;
    let added = factoring.confirm(&app, &first, FIRST_STEP).await;
    assert!(matches!(added, AddFactorOutcome::Added { .. }));

    let user = factoring.account(user.id).await;
    let challenge = factoring.second_step(&user, 62).await;
    let step = FIRST_STEP + 1;
    let former = by_factor(&challenge, &user, code_of(step), 90);
    assert_eq!(factoring.sign_in(&former).await, FactorSignInOutcome::Gone);
    let first = factoring.present(first).await;
    let former = in_session(&first, code_of(step), None);
    assert_eq!(factoring.show(&former).await, ShowOutcome::Gone);
    let used = FactorUse::Totp {
        set_up_at: app.created_at,
        step: TotpStep::new(step),
    };
    let present = by_factor(&challenge, &user, used, 90);
    assert_eq!(factoring.sign_in(&present).await, BEGUN);
}

/// Of many challenges and sessions, on whichever replicas, one gets through with it.
pub async fn parallel_uses_of_one_code_count_once(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    for used in [code_of(FIRST_STEP + 1), recovery_code(3)] {
        let mut calls: Vec<crate::contract::given::BoxedCall<bool>> = Vec::new();
        for _ in 0..10 {
            let challenge = factoring.second_step(&user, 60).await;
            let sign_in = by_factor(&challenge, &user, used, 90);
            let of = Factoring::new(subject);
            calls.push(Box::pin(async move { of.sign_in(&sign_in).await == BEGUN }));
            let (of, shown) = (Factoring::new(subject), in_session(&first, used, None));
            calls.push(Box::pin(async move {
                of.show(&shown).await == ShowOutcome::Shown
            }));
        }
        let counted = at_once(calls).await;
        let counted = counted.into_iter().filter(|counted| *counted);
        assert_eq!(counted.count(), 1);
    }
}

/// Each of the set, and it leaves the others.
pub async fn a_recovery_code_counts_once(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, _) = factoring.with_totp().await;
    for (second, expected, left) in [
        (4, BEGUN, 9),
        (4, FactorSignInOutcome::CodeUsed, 9),
        (11, FactorSignInOutcome::CodeUsed, 9),
        (0, BEGUN, 8),
    ] {
        let challenge = factoring.second_step(&user, 60).await;
        let sign_in = by_factor(&challenge, &user, recovery_code(second), 90);
        assert_eq!(factoring.sign_in(&sign_in).await, expected);
        assert_eq!(factoring.of(user.id).await.codes_left(), left);
    }
    let totp = factoring.of(user.id).await.totp.expect("an app");
    assert_eq!(totp.last_step, Some(TotpStep::new(FIRST_STEP)));
}

/// The last of the set as well: then the account has a set without codes.
pub async fn all_recovery_codes_can_be_used(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    for second in 0..10 {
        let shown = in_session(&first, recovery_code(second), None);
        assert_eq!(factoring.show(&shown).await, ShowOutcome::Shown);
    }
    let factors = factoring.of(user.id).await;
    assert_eq!(factors.codes_left(), 0);
    assert!(factors.codes.is_some());
}

impl Factoring {
    async fn show(&self, shown: &ShownInSession) -> ShowOutcome {
        let outcome = self.factors.show(shown, &untold()).await;
        outcome.expect("show works")
    }
}

fn in_session(session: &Session, used: FactorUse, challenge: Option<&Challenge>) -> ShownInSession {
    ShownInSession {
        user: session.user,
        asking: asking(session),
        used,
        challenge: challenge.map(|challenge| challenge.id),
        at: at(90),
    }
}

/// The code, or the challenge with the passkey: each once, and only of that session.
pub async fn a_factor_is_shown_in_a_session(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first, key) = factoring.with_passkey().await;
    factoring.add_totp(&user, &first).await;
    let used = code_of(FIRST_STEP + 1);
    let code = in_session(&first, used, None);
    assert_eq!(factoring.show(&code).await, ShowOutcome::Shown);
    assert_eq!(factoring.show(&code).await, ShowOutcome::CodeUsed);

    let second = factoring.accounts.signed_in(&user, 50).await;
    let kind = ChallengeKind::Reauthentication;
    let (own, others) = (of_session(kind, &first, 60), of_session(kind, &second, 60));
    let registers = of_session(ChallengeKind::Registration, &first, 60);
    for challenge in [&own, &others, &registers] {
        assert!(factoring.open(challenge).await);
    }
    for foreign in [&others, &registers] {
        let shown = in_session(&first, shown(&key, 9), Some(foreign));
        assert_eq!(factoring.show(&shown).await, ShowOutcome::Gone);
        assert!(factoring.find(foreign, 91).await.is_some());
    }
    let unknown = in_session(&first, shown(&passkey(user.id), 9), Some(&own));
    assert_eq!(factoring.show(&unknown).await, ShowOutcome::Gone);
    let shown = in_session(&first, shown(&key, 9), Some(&own));
    assert_eq!(factoring.show(&shown).await, ShowOutcome::Shown);
    assert_eq!(factoring.show(&shown).await, ShowOutcome::Gone);
    assert_eq!(
        factoring.of(user.id).await.passkeys[0].credential.counter,
        9
    );
}

/// Nor of an epoch that has risen.
pub async fn a_factor_is_not_shown_in_a_session_that_is_over(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    let second = factoring.accounts.signed_in(&user, 50).await;
    let sessions = &factoring.accounts.sessions;
    let ended = sessions
        .end(user.id, first.id, EndReason::SignedOut, at(70), &untold())
        .await;
    ended.expect("end works");
    let used = code_of(FIRST_STEP + 1);
    let over = in_session(&first, used, None);
    assert_eq!(factoring.show(&over).await, ShowOutcome::Superseded);
    let live = in_session(&second, used, None);
    let late = ShownInSession {
        asking: Asking {
            epoch: Some(second.epoch.next()),
            ..live.asking
        },
        ..live.clone()
    };
    assert_eq!(factoring.show(&late).await, ShowOutcome::Superseded);
    assert_eq!(factoring.show(&live).await, ShowOutcome::Shown);
}
