//! Resets by operators.

use super::{Factoring, asking, passkey};
use crate::contract::{
    FactorsSubject,
    accounts::at,
    given::{START, at_once, proof_id, secs, user_id},
};
use crate::untold::untold;
use revolve_domain::{
    factors::RemovedFactor,
    model::{
        AccountFactors, EndReason, Passkey, PendingReset, Proof, ProofPurpose, SetUpFactors,
        Timestamp, User, UserId,
    },
    ports::{
        Asking, FactorRemoval, RemoveFactorOutcome, ResetFactors, ResetOrder, ResetOrderOutcome,
        ResetOutcome, StopReset, StopResetOutcome,
    },
};

/// A day after they are ordered.
const DUE: Timestamp = Timestamp::from_seconds(START.as_seconds() + 60 + 24 * 3600);

impl Factoring {
    pub(super) async fn order(&self, user: UserId, proof: Option<&Proof>) -> ResetOrderOutcome {
        let order = ResetOrder {
            user,
            due_at: DUE,
            proof: proof.cloned(),
            at: at(60),
        };
        let outcome = self.factors.order_reset(&order, &untold()).await;
        outcome.expect("order_reset works")
    }

    /// A proof that stops a reset of the account.
    pub(super) async fn stop_proof(&self, user: UserId) -> Proof {
        let account = self.accounts.users.credentials(user).await;
        let account = account.expect("credentials works").expect("an account");
        let purpose = ProofPurpose::StopFactorReset;
        Proof {
            binding: None,
            expires_at: DUE,
            ..Proof::by_operator(proof_id(), purpose, &account, at(60))
        }
    }

    async fn reset(&self, user: UserId, when: ResetFactors, at: Timestamp) -> ResetOutcome {
        let outcome = self.factors.reset(user, when, at, &untold()).await;
        outcome.expect("reset works")
    }

    async fn is_due(&self, user: UserId, at: Timestamp) -> bool {
        let due = self.factors.due_resets(at, 100_000).await;
        due.expect("due_resets works").contains(&user)
    }

    async fn stop(&self, stop: StopReset) -> StopResetOutcome {
        let outcome = self.factors.stop_reset(stop, at(90), &untold()).await;
        outcome.expect("stop_reset works")
    }

    async fn is_open(&self, proof: &Proof) -> bool {
        let found = self.proofs.find(proof.id, at(91)).await;
        found.expect("find works").is_some()
    }
}

/// Then factors, recovery codes, challenges and sessions are gone at once, and the password stays.
pub async fn a_reset_waits_for_its_time(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first, _) = factoring.with_passkey().await;
    factoring.add_totp(&user, &first).await;
    let user = factoring.account(user.id).await;
    let proof = factoring.stop_proof(user.id).await;
    let ordered = factoring.order(user.id, Some(&proof)).await;
    assert_eq!(ordered, ResetOrderOutcome::Ordered);
    let pending = PendingReset {
        ordered_at: at(60),
        due_at: DUE,
    };
    assert_eq!(factoring.of(user.id).await.reset, Some(pending));
    let again = factoring.order(user.id, None).await;
    assert_eq!(again, ResetOrderOutcome::Pending(DUE));
    assert_eq!(factoring.account(user.id).await, user, "as before");
    let challenge = factoring.second_step(&user, 61).await;

    let early = DUE.minus(secs(1));
    assert!(!factoring.is_due(user.id, early).await);
    let outcome = factoring.reset(user.id, ResetFactors::IfDue, early).await;
    assert_eq!(outcome, ResetOutcome::Nothing);
    assert!(factoring.is_due(user.id, DUE).await);
    let expected = User {
        epoch: user.epoch.next(),
        kept_session: None,
        factors: SetUpFactors::default(),
        ..user.clone()
    };
    let outcome = factoring.reset(user.id, ResetFactors::IfDue, DUE).await;
    assert_eq!(outcome, ResetOutcome::Reset(expected.clone()));
    assert_eq!(factoring.account(user.id).await, expected);
    assert_eq!(factoring.of(user.id).await, AccountFactors::default());
    assert!(factoring.find(&challenge, 62).await.is_none());
    assert!(!factoring.is_open(&proof).await);
    let accounts = &factoring.accounts;
    let reason = accounts.reason(&first).await;
    assert_eq!(reason, Some(EndReason::FactorsReset));
    assert_eq!(accounts.hash(user.id).await, "$test$v=1$first");
    let revoked = accounts.revoked(DUE).await;
    let mut raised = revoked.raised.iter();
    assert!(
        raised.any(|raised| raised.user == user.id && raised.epoch == expected.epoch),
        "other services hear of it"
    );
    assert!(!factoring.is_due(user.id, DUE).await);
    let outcome = factoring.reset(user.id, ResetFactors::IfDue, DUE).await;
    assert_eq!(outcome, ResetOutcome::Nothing);
}

/// Nor for an order that waits, which goes with it.
pub async fn a_forced_reset_needs_no_order(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, _) = factoring.with_totp().await;
    let outcome = factoring.reset(user.id, ResetFactors::IfDue, DUE).await;
    assert_eq!(outcome, ResetOutcome::Nothing);
    factoring.order(user.id, None).await;
    let outcome = factoring.reset(user.id, ResetFactors::Forced, at(70)).await;
    assert!(matches!(outcome, ResetOutcome::Reset(_)));
    assert_eq!(factoring.of(user.id).await, AccountFactors::default());
    assert!(!factoring.is_due(user.id, DUE).await);
}

/// What was set up when it was ordered goes. Nobody has ordered that of what was set up since.
pub async fn a_reset_leaves_what_was_set_up_since(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    factoring.order(user.id, None).await;
    let since = Passkey {
        created_at: at(61),
        ..passkey(user.id)
    };
    factoring.register(&since, &first).await;
    let outcome = factoring.reset(user.id, ResetFactors::IfDue, DUE).await;
    let ResetOutcome::Reset(reset) = outcome else {
        panic!("the app was set up before: {outcome:?}");
    };
    assert_eq!(factoring.account(user.id).await, reset);
    assert!(reset.factors.passkey && !reset.factors.totp);
    let left = AccountFactors {
        passkeys: vec![since],
        ..AccountFactors::default()
    };
    assert_eq!(factoring.of(user.id).await, left);
    assert!(factoring.accounts.live(user.id, DUE).await.is_empty());
}

/// With the last factor the order goes, and one without anything to reset, which an earlier release may have left, ends no session.
pub async fn a_reset_of_nothing_is_forgotten(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    factoring.order(user.id, None).await;
    let removal = FactorRemoval {
        user: user.id,
        factor: RemovedFactor::Totp,
        needs_factor: false,
        asking: asking(&first),
        at: at(90),
    };
    let removed = factoring.factors.remove(&removal, &untold()).await;
    assert_eq!(removed.expect("remove works"), RemoveFactorOutcome::Removed);
    assert_eq!(factoring.of(user.id).await, AccountFactors::default());
    assert!(!factoring.is_due(user.id, DUE).await);

    let (user, first, _) = factoring.with_passkey().await;
    let proof = factoring.stop_proof(user.id).await;
    let early = ResetOrder {
        user: user.id,
        due_at: DUE,
        proof: Some(proof.clone()),
        at: at(9),
    };
    let ordered = factoring.factors.order_reset(&early, &untold()).await;
    assert_eq!(
        ordered.expect("order_reset works"),
        ResetOrderOutcome::Ordered
    );
    let before = factoring.of(user.id).await;
    let outcome = factoring.reset(user.id, ResetFactors::IfDue, DUE).await;
    assert_eq!(outcome, ResetOutcome::Nothing);
    let left = AccountFactors {
        reset: None,
        ..before
    };
    assert_eq!(factoring.of(user.id).await, left);
    assert_eq!(factoring.account(user.id).await, user);
    assert_eq!(factoring.accounts.live(user.id, at(91)).await, [first.id]);
    assert!(!factoring.is_due(user.id, DUE).await && !factoring.is_open(&proof).await);
}

/// Nothing to reset, or nobody.
pub async fn a_reset_needs_factors(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let outcome = factoring.order(user.id, None).await;
    assert_eq!(outcome, ResetOrderOutcome::NoFactors);
    let outcome = factoring.reset(user.id, ResetFactors::Forced, at(70)).await;
    assert_eq!(outcome, ResetOutcome::Nothing);
    assert_eq!(factoring.accounts.live(user.id, at(71)).await, [first.id]);
    let nobody = user_id();
    let outcome = factoring.order(nobody, None).await;
    assert_eq!(outcome, ResetOrderOutcome::NotFound);
    let outcome = factoring.reset(nobody, ResetFactors::Forced, at(70)).await;
    assert_eq!(outcome, ResetOutcome::NotFound);
}

/// By who reads the mailbox, whatever became of the password, or in a session.
pub async fn a_reset_is_stopped(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    let (other, others) = factoring.with_totp().await;
    let unasked = Asking {
        epoch: None,
        ..asking(&first)
    };
    let in_session = StopReset::Session(user.id, unasked);
    assert_eq!(factoring.stop(in_session).await, StopResetOutcome::Gone);

    let proof = factoring.stop_proof(user.id).await;
    factoring.order(user.id, Some(&proof)).await;
    let foreign = StopReset::Session(user.id, asking(&others));
    let outcome = factoring.stop(foreign).await;
    assert_eq!(outcome, StopResetOutcome::Superseded);
    let stopped = StopResetOutcome::Stopped(user.id);
    assert_eq!(factoring.stop(in_session).await, stopped);
    assert_eq!(factoring.of(user.id).await.reset, None);
    assert!(!factoring.is_open(&proof).await);

    let proof = factoring.stop_proof(user.id).await;
    factoring.order(user.id, Some(&proof)).await;
    let ended = factoring
        .accounts
        .sessions
        .end_all(user.id, None, EndReason::Recovered, at(80), &untold())
        .await;
    ended.expect("end_all works");
    let by_proof = StopReset::Proof(proof.version());
    assert_eq!(factoring.stop(by_proof).await, stopped);
    assert_eq!(factoring.stop(by_proof).await, StopResetOutcome::Gone);
    assert!(!factoring.is_due(user.id, DUE).await);
    assert!(factoring.of(user.id).await.totp.is_some());
    let purpose = ProofPurpose::RecoveryLink;
    let account = factoring.accounts.users.credentials(other.id).await;
    let account = account.expect("credentials works").expect("an account");
    let link = Proof::by_operator(proof_id(), purpose, &account, at(60));
    factoring.order(other.id, Some(&link)).await;
    let outcome = factoring.stop(StopReset::Proof(link.version())).await;
    assert_eq!(outcome, StopResetOutcome::Gone, "it is for something else");
}

/// On whichever replicas: the sessions that begin after the first are not ended by the others.
pub async fn parallel_resets_of_one_order_reset_once(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, _) = factoring.with_totp().await;
    factoring.order(user.id, None).await;
    let calls = (0..10).map(|_| {
        let of = Factoring::new(subject);
        async move { of.reset(user.id, ResetFactors::IfDue, DUE).await }
    });
    let outcomes = at_once(calls).await;
    let reset = outcomes
        .iter()
        .filter(|outcome| **outcome != ResetOutcome::Nothing);
    assert_eq!(reset.count(), 1, "{outcomes:?}");
    let after = factoring.account(user.id).await;
    assert_eq!(after.epoch, user.epoch.next());
}
