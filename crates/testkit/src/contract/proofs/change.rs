//! A change of address, once the new one has proved itself.

use super::Proving;
use crate::contract::{
    DirectorySubject, ProofsSubject,
    accounts::at,
    given::{at_once, email, hash, proof_id, session, user},
};
use crate::untold::untold;
use revolve_domain::{
    model::{AccountChange, DetailsChange, EmailAddress, PasswordHash, Proof, ProofPurpose, User},
    ports::{AddressChange, AddressOutcome, OperatorChange, StandingProof},
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

/// It may know somebody else by that address. Whoever changes it; another spelling is the same address.
pub async fn another_address_is_none_that_a_former_system_is_asked_about(
    subject: &(impl ProofsSubject + DirectorySubject),
) {
    let proving = Proving::new(subject);
    let accounts = &proving.accounts;
    let imported = async || {
        let (user, _) = accounts.signed_up().await;
        let (first, marked) = (hash("first"), PasswordHash::legacy());
        let rehashed = accounts.users.rehash(user.id, &first, &marked);
        rehashed.await.expect("rehash works");
        user
    };
    let to = |email: &EmailAddress| DetailsChange {
        email: Some(email.clone()),
        ..DetailsChange::default()
    };
    let by_owner = async |user: &User, email: &EmailAddress| {
        let (change, tell) = (to(email), untold());
        let updated = accounts.users.update(user.id, &change, None, at(90), &tell);
        updated.await.expect("update works");
    };
    let by_operator = async |user: &User, email: &EmailAddress| {
        let change = OperatorChange {
            user: user.id,
            change: AccountChange {
                details: to(email),
                ..AccountChange::default()
            },
            expected: None,
            at: at(90),
        };
        let changed = subject.directory().change(&change, &untold()).await;
        changed.expect("change works");
    };
    let by_proof = async |user: &User, email: &EmailAddress| {
        let proof = wanted(&proving, user, email).await;
        let (outcome, _) = change(&proving, user, &proof).await;
        assert!(matches!(outcome, AddressOutcome::Changed(_)));
    };
    let ways = [imported().await, imported().await, imported().await];
    for is_another in [false, true] {
        for (user, way) in ways.iter().zip(0..) {
            let typed = user.email.as_str().to_uppercase();
            let same = EmailAddress::parse(&typed).expect("an address");
            let address = if is_another { email() } else { same };
            match way {
                0 => by_owner(user, &address).await,
                1 => by_operator(user, &address).await,
                _ => by_proof(user, &address).await,
            }
            let expected = if is_another {
                PasswordHash::no_password()
            } else {
                PasswordHash::legacy()
            };
            assert_eq!(accounts.hash(user.id).await, expected.expose(), "{way}");
            let now = accounts.account(user.id).await.expect("it is there");
            assert_eq!(now.email.as_str(), address.as_str());
        }
    }
}
