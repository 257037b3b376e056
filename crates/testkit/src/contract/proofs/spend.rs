//! Attempts, expiry, and the verification of an address.

use super::{Proving, proof};
use crate::contract::{
    ProofsSubject,
    accounts::at,
    given::{at_once, email, hash, proof_id},
};
use crate::untold::untold;
use revolve_domain::{
    model::{DetailsChange, EmailAddress, EndReason, Proof, ProofPurpose, User, UserId},
    ports::{PasswordChange, StandingProof, VerifyOutcome},
};

/// Five, whoever tries; each is counted before it is answered.
pub async fn attempts_are_counted(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let proof = proof(ProofPurpose::ResetPassword, &email(), 60);
    proving.open(&proof).await;
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(proving.attempt(&proof, 61).await, Some(left));
    }
    assert_eq!(proving.attempt(&proof, 61).await, None);
}

/// As many as were counted: never more than there were.
pub async fn a_right_code_is_given_back(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let proof = proof(ProofPurpose::ResetPassword, &email(), 60);
    proving.open(&proof).await;
    let forgive = async || {
        let given = proving.proofs.forgive(proof.id).await;
        given.expect("forgive works");
    };
    for _ in 0..2 {
        assert_eq!(proving.attempt(&proof, 61).await, Some(4));
        forgive().await;
    }
    forgive().await;
    assert_eq!(proving.attempt(&proof, 61).await, Some(4));
}

/// However many guess at once.
pub async fn parallel_attempts_are_no_more_than_there_are(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let proof = proof(ProofPurpose::ResetPassword, &email(), 60);
    proving.open(&proof).await;
    let calls = (0..20).map(|_| {
        let (proving, proof) = (Proving::new(subject), proof.clone());
        async move { proving.attempt(&proof, 61).await }
    });
    let mut counted: Vec<_> = at_once(calls).await.into_iter().flatten().collect();
    counted.sort_unstable();
    assert_eq!(counted, [0, 1, 2, 3, 4], "each left another number");
}

/// The attempts of another purpose take nothing from it.
pub async fn an_attempt_names_the_purpose(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let proof = proof(ProofPurpose::ResetPassword, &email(), 60);
    proving.open(&proof).await;
    let other = proving
        .proofs
        .attempt(proof.id, ProofPurpose::SignIn, at(61))
        .await;
    assert!(other.expect("attempt works").is_none());
    assert_eq!(proving.attempt(&proof, 61).await, Some(4));
}

/// From its expiry on it is as if it had never been.
pub async fn an_expired_proof_is_gone(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    let life = proof.purpose.lifetime().as_secs();
    let over = 60 + life;
    assert!(proving.find(&proof, over - 1).await.is_some());
    assert!(proving.find(&proof, over).await.is_none());
    assert_eq!(proving.attempt(&proof, over).await, None);
    assert_eq!(proving.verify(&proof, over).await, VerifyOutcome::Gone);
    let standing = async |after| {
        let standing = proving.proofs.standing(&[proof.id], at(after)).await;
        standing.expect("standing works").len()
    };
    assert_eq!((standing(over - 1).await, standing(over).await), (1, 0));
    assert_eq!(
        proving.credentials(user.id).await.user.email_verified_at,
        None
    );
}

/// Of many, those that are open.
pub async fn standing_tells_the_open_from_the_others(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let open = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let spent = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    proving.verify(&spent, 61).await;
    let asked = [spent.id, proof_id(), open.id];
    let standing = proving.proofs.standing(&asked, at(62)).await;
    assert_eq!(
        standing.expect("standing works"),
        [StandingProof::from(&open)]
    );
    let none = proving.proofs.standing(&[], at(62)).await;
    assert_eq!(none.expect("standing works"), []);
}

/// The account has a verified address, once; sessions and password stay.
pub async fn a_verified_address_is_remembered(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, session) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    let verified = User {
        email_verified_at: Some(at(90)),
        version: user.version.next(at(90)),
        ..user.clone()
    };
    assert_eq!(
        proving.verify(&proof, 90).await,
        VerifyOutcome::Verified(verified.clone())
    );
    assert_eq!(
        proving.accounts.account(user.id).await,
        Some(verified.clone())
    );
    assert_eq!(proving.accounts.live(user.id, at(91)).await, [session.id]);
    assert_eq!(proving.verify(&proof, 92).await, VerifyOutcome::Gone);
    let again = proving.proof(ProofPurpose::VerifyEmail, &user, 93).await;
    proving.open(&again).await;
    assert_eq!(
        proving.verify(&again, 94).await,
        VerifyOutcome::Verified(verified),
        "since the first time"
    );
}

/// One of a hundred.
pub async fn parallel_confirmations_succeed_once(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    let calls = (0..100).map(|_| {
        let (proving, proof) = (Proving::new(subject), proof.clone());
        async move { proving.verify(&proof, 61).await }
    });
    let outcomes = at_once(calls).await;
    let verified = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, VerifyOutcome::Verified(_)));
    assert_eq!(verified.count(), 1);
}

/// A change of password, of address, of epoch; a disabled or deleted account.
pub async fn a_change_of_what_it_is_bound_to_voids_it(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    for change in ["password", "hash", "address", "epoch", "account"] {
        let (user, session) = proving.accounts.signed_up().await;
        let proof = proving.opened(ProofPurpose::VerifyEmail, &user).await;
        let accounts = &proving.accounts;
        match change {
            "password" => {
                let change = PasswordChange {
                    user: user.id,
                    session: session.id,
                    epoch: user.epoch,
                    hash: hash("second"),
                    at: at(61),
                };
                drop(accounts.users.change_password(&change, &untold()).await);
            }
            "hash" => {
                let (old, new) = (hash("first"), hash("rehashed"));
                drop(accounts.users.rehash(user.id, &old, &new).await);
            }
            "address" => {
                let change = DetailsChange {
                    email: Some(email()),
                    ..DetailsChange::default()
                };
                drop(
                    accounts
                        .users
                        .update(user.id, &change, None, at(60), &untold())
                        .await,
                );
            }
            "epoch" => {
                let reason = EndReason::SignedOut;
                drop(
                    accounts
                        .sessions
                        .end_all(user.id, None, reason, at(61), &untold())
                        .await,
                );
            }
            _ => drop(
                accounts
                    .users
                    .delete(user.id, None, at(61), &untold())
                    .await,
            ),
        }
        assert_eq!(
            proving.verify(&proof, 62).await,
            VerifyOutcome::Gone,
            "{change}"
        );
        let account = accounts.account(user.id).await;
        assert_eq!(
            account.and_then(|user| user.email_verified_at),
            None,
            "{change}"
        );
    }
}

async fn disown(proving: &Proving, proof: &Proof, after: u64) -> Option<UserId> {
    let shown = proof.version();
    let gone = proving.proofs.disown(shown, at(after), &untold()).await;
    gone.expect("disown works")
}

/// The code was checked before another mail was asked for.
pub async fn a_superseded_code_verifies_nothing(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let checked = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    let again = proving.again(&checked).await;
    assert_eq!(proving.verify(&checked, 90).await, VerifyOutcome::Gone);
    assert_eq!(disown(&proving, &checked, 90).await, None);
    assert_eq!(proving.accounts.account(user.id).await, Some(user.clone()));
    let outcome = proving.verify(&again, 90).await;
    assert!(matches!(outcome, VerifyOutcome::Verified(_)));
}

/// The account is deleted with its sessions; the address is free.
pub async fn who_reads_an_unverified_address_can_take_it_back(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, session) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    assert_eq!(disown(&proving, &proof, 61).await, Some(user.id));
    assert_eq!(proving.accounts.account(user.id).await, None);
    assert_eq!(
        proving.accounts.reason(&session).await,
        Some(EndReason::AccountDeleted)
    );
    assert_eq!(disown(&proving, &proof, 62).await, None);
}

/// Nor is one by a proof of another purpose.
pub async fn a_verified_address_is_not_taken_back(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let reset = proving.opened(ProofPurpose::ResetPassword, &user).await;
    assert_eq!(disown(&proving, &reset, 61).await, None);
    let proof = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    proving.verify(&proof, 61).await;
    let again = proving.proof(ProofPurpose::VerifyEmail, &user, 62).await;
    proving.open(&again).await;
    assert_eq!(disown(&proving, &again, 63).await, None);
    assert!(proving.accounts.account(user.id).await.is_some());
}

/// The account's row has gone, and so has what it was asked for.
pub async fn a_deletion_leaves_no_proof(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let (other, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let others = proving.opened(ProofPurpose::ResetPassword, &other).await;
    let deleted = proving
        .accounts
        .users
        .delete(user.id, None, at(61), &untold())
        .await;
    assert!(deleted.expect("delete works"));
    assert!(proving.find(&proof, 62).await.is_none());
    assert!(proving.find(&others, 62).await.is_some());
}

/// A change of address takes the verification with it; another spelling of the same one does not.
pub async fn a_new_address_is_not_verified(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::VerifyEmail, &user).await;
    proving.verify(&proof, 61).await;
    let update = async |email| {
        let change = DetailsChange {
            email: Some(email),
            ..DetailsChange::default()
        };
        let updated = proving
            .accounts
            .users
            .update(user.id, &change, None, at(60), &untold())
            .await;
        updated.expect("update works");
        proving.credentials(user.id).await.user.email_verified_at
    };
    let spelled = EmailAddress::parse(&user.email.as_str().to_uppercase());
    assert_eq!(update(spelled.expect("an address")).await, Some(at(61)));
    assert_eq!(update(email()).await, None);
}
