//! A change of address, once the new one has proved itself.

use super::Proving;
use crate::contract::{
    ProofsSubject,
    accounts::at,
    given::{at_once, email, proof_id, session, user},
};
use crate::untold::untold;
use revolve_domain::{
    model::{EmailAddress, Proof, ProofPurpose, User},
    ports::{AddressChange, AddressOutcome, StandingProof},
};

/// A proof of the new address that is open.
pub(super) async fn wanted(proving: &Proving, user: &User, address: &EmailAddress) -> Proof {
    let mut proof = proving.proof(ProofPurpose::ChangeEmail, user, 60).await;
    proof.address = address.clone();
    proving.open(&proof).await;
    proof
}

/// Changes the address; answers the proof that undoes it, too.
pub(super) async fn change(
    proving: &Proving,
    user: &User,
    proof: &Proof,
) -> (AddressOutcome, Proof) {
    let mut undo = proving.proof(ProofPurpose::UndoEmail, user, 90).await;
    undo.binding = None;
    let change = AddressChange {
        proof: proof.version(),
        undo: Some(undo.clone()),
        at: at(90),
    };
    let outcome = proving.proofs.change_email(&change, &untold()).await;
    (outcome.expect("change_email works"), undo)
}

/// The address is the new one, and verified; sessions stay; the proof is spent, and another undoes it.
pub async fn a_change_of_address_leaves_its_undo(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, session) = proving.accounts.signed_up().await;
    let address = email();
    let proof = wanted(&proving, &user, &address).await;
    let expected = User {
        email: address,
        email_verified_at: Some(at(90)),
        version: user.version.next(at(90)),
        ..user.clone()
    };
    let (outcome, undo) = change(&proving, &user, &proof).await;
    assert_eq!(outcome, AddressOutcome::Changed(expected.clone()));
    assert_eq!(proving.accounts.account(user.id).await, Some(expected));
    assert_eq!(proving.accounts.live(user.id, at(91)).await, [session.id]);
    assert!(proving.find(&proof, 91).await.is_none());
    let found = proving.find(&undo, 91).await.expect("it is open");
    assert_eq!(found.address, user.email);
    let (again, _) = change(&proving, &user, &proof).await;
    assert_eq!(again, AddressOutcome::Gone);
}

/// The proof stays: the address may become free.
pub async fn a_change_to_a_taken_address_changes_nothing(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (ann, _) = proving.accounts.signed_up().await;
    let (bob, _) = proving.accounts.signed_up().await;
    let proof = wanted(&proving, &ann, &bob.email).await;
    let (outcome, undo) = change(&proving, &ann, &proof).await;
    assert_eq!(outcome, AddressOutcome::EmailTaken);
    assert_eq!(proving.accounts.account(ann.id).await, Some(ann));
    assert!(proving.find(&proof, 91).await.is_some());
    assert!(proving.find(&undo, 91).await.is_none());
}

/// Of two accounts that want it.
pub async fn parallel_changes_to_one_address_succeed_once(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let address = email();
    let mut calls = Vec::new();
    for _ in 0..6 {
        let user = user();
        let first = session(&user, 0);
        proving.accounts.create(&user, &first).await;
        let proof = wanted(&proving, &user, &address).await;
        let proving = Proving::new(subject);
        calls.push(async move { change(&proving, &user, &proof).await.0 });
    }
    let outcomes = at_once(calls).await;
    let changed = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, AddressOutcome::Changed(_)));
    assert_eq!(changed.count(), 1, "{outcomes:?}");
}

/// A mail to the first address that waits has nothing but the proof's id: it must not get a code that proves the second.
pub async fn a_proof_never_moves_to_another_address(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let first = wanted(&proving, &user, &email()).await;
    let second = Proof {
        id: proof_id(),
        address: email(),
        created_at: at(61),
        ..first.clone()
    };
    let standing = proving.open(&second).await;
    assert_eq!(standing, StandingProof::from(&second), "it is another one");
    assert!(proving.find(&first, 62).await.is_none());
    let (outcome, _) = change(&proving, &user, &first).await;
    assert_eq!(outcome, AddressOutcome::Gone);
    assert_eq!(proving.accounts.account(user.id).await, Some(user));
}

/// The code was checked before another mail was asked for.
pub async fn a_superseded_code_changes_no_address(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let checked = wanted(&proving, &user, &email()).await;
    let again = proving.again(&checked).await;
    let (outcome, undo) = change(&proving, &user, &checked).await;
    assert_eq!(outcome, AddressOutcome::Gone);
    assert_eq!(proving.accounts.account(user.id).await, Some(user.clone()));
    assert!(proving.find(&undo, 91).await.is_none());
    let (outcome, _) = change(&proving, &user, &again).await;
    assert!(matches!(outcome, AddressOutcome::Changed(_)));
}

/// Where the former address was never verified.
pub async fn a_change_can_come_without_an_undo(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let address = email();
    let proof = wanted(&proving, &user, &address).await;
    let change = AddressChange {
        proof: proof.version(),
        undo: None,
        at: at(90),
    };
    let outcome = proving.proofs.change_email(&change, &untold()).await;
    let AddressOutcome::Changed(changed) = outcome.expect("change_email works") else {
        panic!("the proof is open");
    };
    assert_eq!(changed.email, address);
    assert!(proving.find(&proof, 91).await.is_none());
}
