//! Sign-ups whose mailbox is proved.

use super::{Proving, proof};
use crate::contract::{
    ProofsSubject,
    accounts::at,
    given::{at_once, email, hash, session, user},
};
use crate::untold::untold;
use revolve_domain::{
    model::{EmailAddress, Proof, ProofPurpose, SignUpIntent, User},
    ports::{ProvedSignUp, SignUpOutcome},
};

/// A sign-up with that password that is open.
pub(super) async fn intended(proving: &Proving, address: &EmailAddress, password: &str) -> Proof {
    let proof = Proof {
        intent: Some(SignUpIntent::Password(hash(password))),
        ..proof(ProofPurpose::SignUp, address, 60)
    };
    proving.open(&proof).await;
    proof
}

/// What makes an account of it.
pub(super) fn proved(proof: &Proof) -> ProvedSignUp {
    let user = User {
        email: proof.address.clone(),
        email_verified_at: Some(at(90)),
        ..user()
    };
    ProvedSignUp {
        proof: proof.version(),
        session: session(&user, 90),
        codes: None,
        user,
        at: at(90),
    }
}

async fn sign_up(proving: &Proving, proved: &ProvedSignUp) -> SignUpOutcome {
    let outcome = proving.proofs.sign_up(proved, &untold()).await;
    outcome.expect("sign_up works")
}

/// With the password of that sign-up; the others of the address are void.
pub async fn a_proved_sign_up_is_an_account(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let address = email();
    let stranger = intended(&proving, &address, "stranger").await;
    let own = intended(&proving, &address, "own").await;
    let other = intended(&proving, &email(), "other").await;
    let made = proved(&own);
    assert_eq!(sign_up(&proving, &made).await, SignUpOutcome::Created);
    let accounts = &proving.accounts;
    assert_eq!(
        accounts.account(made.user.id).await,
        Some(made.user.clone())
    );
    assert_eq!(accounts.hash(made.user.id).await, "$test$v=1$own");
    assert_eq!(accounts.row(&made.session).await, made.session);
    assert!(accounts.keeps(&made.user, made.session.device).await);
    for void in [&own, &stranger] {
        assert!(proving.find(void, 91).await.is_none());
        let late = proved(void);
        assert_eq!(sign_up(&proving, &late).await, SignUpOutcome::Gone);
    }
    assert!(proving.find(&other, 91).await.is_some());
}

/// Nor does a proof of another purpose, or one that has expired.
pub async fn a_sign_up_of_a_taken_address_changes_nothing(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (taken, first) = proving.accounts.signed_up().await;
    let late = intended(&proving, &taken.email, "late").await;
    let attempt = proved(&late);
    assert_eq!(sign_up(&proving, &attempt).await, SignUpOutcome::EmailTaken);
    assert_eq!(proving.accounts.account(attempt.user.id).await, None);
    assert_eq!(proving.accounts.hash(taken.id).await, "$test$v=1$first");
    assert_eq!(proving.accounts.live(taken.id, at(91)).await, [first.id]);

    let reset = proof(ProofPurpose::ResetPassword, &email(), 60);
    proving.open(&reset).await;
    assert_eq!(
        sign_up(&proving, &proved(&reset)).await,
        SignUpOutcome::Gone
    );
    let old = intended(&proving, &email(), "old").await;
    let expired = ProvedSignUp {
        at: old.expires_at,
        ..proved(&old)
    };
    assert_eq!(sign_up(&proving, &expired).await, SignUpOutcome::Gone);
}

/// Whichever proof they show.
pub async fn parallel_sign_ups_of_one_address_make_one_account(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let address = email();
    let mut calls = Vec::new();
    for password in ["one", "two", "three"] {
        let intent = intended(&proving, &address, password).await;
        for _ in 0..4 {
            let (proving, proved) = (Proving::new(subject), proved(&intent));
            calls.push(async move { sign_up(&proving, &proved).await });
        }
    }
    let outcomes = at_once(calls).await;
    let created = outcomes
        .iter()
        .filter(|outcome| **outcome == SignUpOutcome::Created);
    assert_eq!(created.count(), 1, "{outcomes:?}");
}

/// The code was checked before another mail, with another password, was asked for.
pub async fn a_superseded_code_makes_no_account(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let checked = intended(&proving, &email(), "first").await;
    let second = Proof {
        intent: Some(SignUpIntent::Password(hash("second"))),
        ..checked.clone()
    };
    let again = proving.again(&second).await;
    assert_eq!(
        sign_up(&proving, &proved(&checked)).await,
        SignUpOutcome::Gone
    );
    let made = proved(&again);
    assert_eq!(sign_up(&proving, &made).await, SignUpOutcome::Created);
    assert_eq!(
        proving.accounts.hash(made.user.id).await,
        "$test$v=1$second"
    );
}
