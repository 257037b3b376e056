//! Recoveries of accounts with factors.

use super::{Factoring, passkey, second_step};
use crate::contract::{
    FactorsSubject,
    accounts::at,
    given::{hash, proof_id, session, user},
};
use crate::untold::untold;
use revolve_domain::{
    model::{
        AccountFactors, ChallengedUser, Fingerprint, Passkey, Proof, ProofPurpose, Session,
        SetUpFactors, User,
    },
    ports::{
        AddressChange, AddressOutcome, CreateOutcome, Recovery, RecoveryOutcome, RecoveryStep,
    },
};

impl Factoring {
    /// A new account whose address is verified, and its session.
    async fn verified(&self) -> (User, Session) {
        let user = User {
            email_verified_at: Some(at(1)),
            ..user()
        };
        let session = session(&user, 0);
        let created = self.accounts.create(&user, &session).await;
        assert_eq!(created, CreateOutcome::Created);
        (user, session)
    }

    /// An open proof of the account for that purpose.
    async fn proof_of(&self, user: &User, purpose: ProofPurpose) -> Proof {
        let account = self.accounts.users.credentials(user.id).await;
        let account = account.expect("credentials works").expect("an account");
        let proof = Proof {
            asker: Fingerprint::of_browser("asker"),
            ..Proof::by_operator(proof_id(), purpose, &account, at(60))
        };
        self.open_proof(&proof).await;
        proof
    }

    async fn recover(&self, proof: &Proof, then: RecoveryStep) -> RecoveryOutcome {
        let recovery = Recovery {
            proof: proof.version(),
            hash: hash("recovered"),
            then,
            at: at(90),
        };
        let outcome = self.proofs.recover(&recovery, &untold()).await;
        outcome.expect("recover works")
    }

    async fn is_kept(&self, proof: &Proof) -> bool {
        let found = self.proofs.find(proof.id, at(91)).await;
        found.expect("find works").is_some()
    }
}

/// A session of the account's next epoch, unless it has a factor.
fn unless_factor(user: &User) -> (Session, RecoveryStep) {
    let begins = Session {
        epoch: user.epoch.next(),
        ..session(user, 90)
    };
    let then = RecoveryStep::Session {
        session: begins.clone(),
        unless_factor: true,
    };
    (begins, then)
}

/// Nothing that a mailbox proves stands in for a factor: the password is set and all sessions have ended, but none begins. An ordered reset waits on.
pub async fn a_recovery_leads_to_the_second_step(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.verified().await;
    factoring.add_totp(&user, &first).await;
    let user = factoring.account(user.id).await;
    let stop = factoring.stop_proof(user.id).await;
    factoring.order(user.id, Some(&stop)).await;
    let before = factoring.of(user.id).await;
    let proof = factoring.proof_of(&user, ProofPurpose::ResetPassword).await;
    let (_, without) = unless_factor(&user);
    let outcome = factoring.recover(&proof, without).await;
    assert_eq!(outcome, RecoveryOutcome::FactorRequired);
    let accounts = &factoring.accounts;
    assert_eq!(accounts.live(user.id, at(91)).await, [first.id]);
    let early = RecoveryStep::Challenge(second_step(&user, 90));
    let outcome = factoring.recover(&proof, early).await;
    assert_eq!(outcome, RecoveryOutcome::Gone, "its epoch");

    let next = User {
        epoch: user.epoch.next(),
        ..user.clone()
    };
    let challenge = second_step(&next, 90);
    assert_eq!(
        challenge.user.map(|of: ChallengedUser| of.epoch),
        Some(next.epoch)
    );
    let then = RecoveryStep::Challenge(challenge.clone());
    let outcome = factoring.recover(&proof, then).await;
    let RecoveryOutcome::Recovered(recovered) = outcome else {
        panic!("the proof is open: {outcome:?}");
    };
    assert_eq!(recovered.factors, user.factors, "the factors stay");
    assert_eq!(factoring.of(user.id).await, before);
    assert_eq!(factoring.account(user.id).await, recovered);
    assert_eq!(accounts.hash(user.id).await, "$test$v=1$recovered");
    assert!(accounts.live(user.id, at(91)).await.is_empty());
    assert_eq!(factoring.find(&challenge, 91).await, Some(challenge));
    assert!(!factoring.is_kept(&proof).await);
    assert!(factoring.is_kept(&stop).await, "so that it can be stopped");
}

/// Whoever made the account without reading its mail shares it no longer: factors, recovery codes and an ordered reset go, and a session begins.
pub async fn a_recovery_takes_the_factors_of_an_account_whose_mail_nobody_read(
    subject: &impl FactorsSubject,
) {
    let factoring = Factoring::new(subject);
    for purpose in [ProofPurpose::ResetPassword, ProofPurpose::Invitation] {
        let (user, first, key) = factoring.with_passkey().await;
        factoring.add_totp(&user, &first).await;
        let user = factoring.account(user.id).await;
        let stop = factoring.stop_proof(user.id).await;
        factoring.order(user.id, Some(&stop)).await;
        let proof = factoring.proof_of(&user, purpose).await;
        let (begins, then) = unless_factor(&user);
        let recovered = User {
            epoch: user.epoch.next(),
            kept_session: None,
            email_verified_at: Some(at(90)),
            version: user.version.next(at(90)),
            factors: SetUpFactors::default(),
            ..user.clone()
        };
        let outcome = factoring.recover(&proof, then).await;
        assert_eq!(outcome, RecoveryOutcome::Recovered(recovered.clone()));
        assert_eq!(factoring.account(user.id).await, recovered);
        assert_eq!(factoring.of(user.id).await, AccountFactors::default());
        let found = factoring.factors.by_credential(&key.credential.id).await;
        assert_eq!(found.expect("by_credential works"), None);
        let live = factoring.accounts.live(user.id, at(91)).await;
        assert_eq!(live, [begins.id]);
        assert!(!factoring.is_kept(&stop).await, "no reset waits");
    }
}

/// Its link was handed to who asked for it: nobody has read the mail by that.
pub async fn a_recovery_by_an_operators_link_leaves_the_factors(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.with_totp().await;
    let key = passkey(user.id);
    factoring.register(&key, &first).await;
    let user = factoring.account(user.id).await;
    let before = factoring.of(user.id).await;
    let proof = factoring.proof_of(&user, ProofPurpose::RecoveryLink).await;
    let (_, without) = unless_factor(&user);
    let outcome = factoring.recover(&proof, without).await;
    assert_eq!(outcome, RecoveryOutcome::FactorRequired);
    let next = User {
        epoch: user.epoch.next(),
        ..user.clone()
    };
    let then = RecoveryStep::Challenge(second_step(&next, 90));
    let outcome = factoring.recover(&proof, then).await;
    assert!(matches!(outcome, RecoveryOutcome::Recovered(_)));
    assert_eq!(factoring.of(user.id).await, before);
    assert_eq!(factoring.account(user.id).await.email_verified_at, None);
}

/// A thief has added them, and the codes besides. Those of before stay, and need a second step.
pub async fn an_undo_takes_the_factors_that_were_added_since(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    for is_owners in [false, true] {
        let (user, first) = factoring.verified().await;
        let owners = passkey(user.id);
        if is_owners {
            factoring.register(&owners, &first).await;
        }
        let before = factoring.of(user.id).await;
        let account = factoring.account(user.id).await;
        let undo = Proof {
            binding: None,
            created_at: at(60),
            ..factoring.proof_of(&account, ProofPurpose::UndoEmail).await
        };
        let address = AddressChange {
            proof: factoring
                .proof_of(&account, ProofPurpose::ChangeEmail)
                .await
                .version(),
            undo: Some(undo.clone()),
            at: at(60),
        };
        let changed = factoring.proofs.change_email(&address, &untold()).await;
        assert!(matches!(
            changed.expect("change_email works"),
            AddressOutcome::Changed(_)
        ));
        let thiefs = Passkey {
            created_at: at(60),
            ..passkey(user.id)
        };
        factoring.register(&thiefs, &first).await;
        let stop = factoring.stop_proof(user.id).await;
        factoring.order(user.id, Some(&stop)).await;
        let waits = factoring.of(user.id).await.reset;
        assert!(waits.is_some());

        let present = factoring.account(user.id).await;
        let (begins, then) = unless_factor(&present);
        let outcome = factoring.recover(&undo, then).await;
        if is_owners {
            assert_eq!(outcome, RecoveryOutcome::FactorRequired);
            let next = User {
                epoch: present.epoch.next(),
                ..present.clone()
            };
            let then = RecoveryStep::Challenge(second_step(&next, 90));
            let outcome = factoring.recover(&undo, then).await;
            assert!(matches!(outcome, RecoveryOutcome::Recovered(_)));
            let left = AccountFactors {
                reset: waits,
                ..before
            };
            assert_eq!(factoring.of(user.id).await, left);
        } else {
            assert!(matches!(outcome, RecoveryOutcome::Recovered(_)));
            assert_eq!(factoring.of(user.id).await, AccountFactors::default());
            let live = factoring.accounts.live(user.id, at(91)).await;
            assert_eq!(live, [begins.id]);
        }
        let kept = factoring.account(user.id).await;
        assert_eq!(kept.factors.any(), is_owners);
        assert_eq!(factoring.is_kept(&stop).await, is_owners);
    }
}
