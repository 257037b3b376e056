//! Accounts that are made with a passkey.

use super::{Factoring, codes, of_sign_up, passkey};
use crate::contract::{
    FactorsSubject,
    accounts::at,
    given::{at_once, email, proof_id, session, user},
};
use crate::untold::untold;
use revolve_domain::{
    model::{
        Challenge, Fingerprint, HashKind, Passkey, Proof, ProofPurpose, SetUpFactors, SignUpIntent,
        User,
    },
    ports::{PasskeySignUp, PasskeySignUpOutcome, ProvedSignUp, SignUpOutcome},
};
use std::slice;

/// An account that is only to be made.
fn with_passkey() -> (User, Passkey) {
    let user = User {
        factors: SetUpFactors {
            totp: false,
            passkey: true,
        },
        ..user()
    };
    let key = passkey(user.id);
    (user, key)
}

fn by_passkey(challenge: &Challenge, user: &User, key: &Passkey) -> PasskeySignUp {
    PasskeySignUp {
        challenge: challenge.id,
        user: user.clone(),
        session: session(user, 90),
        passkey: key.clone(),
        codes: codes(user.id, 1),
        at: at(90),
    }
}

impl Factoring {
    async fn sign_up(&self, sign_up: &PasskeySignUp) -> PasskeySignUpOutcome {
        let outcome = self.factors.sign_up(sign_up, &untold()).await;
        outcome.expect("sign_up works")
    }

    async fn opened_sign_up(&self, user: &User) -> Challenge {
        let challenge = of_sign_up(user.id);
        assert!(self.open(&challenge).await);
        challenge
    }
}

/// Account, session, device, passkey and recovery codes: one commit, which spends the challenge.
pub async fn an_account_is_made_with_a_passkey(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, key) = with_passkey();
    let challenge = factoring.opened_sign_up(&user).await;
    let sign_up = by_passkey(&challenge, &user, &key);
    let outcome = factoring.sign_up(&sign_up).await;
    assert_eq!(outcome, PasskeySignUpOutcome::Created);
    let accounts = &factoring.accounts;
    let found = accounts.users.credentials(user.id).await;
    let found = found.expect("credentials works").expect("an account");
    assert_eq!(found.user, user);
    assert_eq!(found.hash.kind(), HashKind::NoPassword);
    assert_eq!(accounts.row(&sign_up.session).await, sign_up.session);
    assert!(accounts.keeps(&user, sign_up.session.device).await);
    let factors = factoring.of(user.id).await;
    assert_eq!(factors.passkeys[..], *slice::from_ref(&key));
    assert_eq!(factors.codes, Some(sign_up.codes.clone()));
    assert!(factoring.find(&challenge, 91).await.is_none());
    let again = factoring.sign_up(&sign_up).await;
    assert_eq!(again, PasskeySignUpOutcome::Gone);
}

/// A taken address, a taken credential, and a challenge for another id, or of another kind, or that has expired.
pub async fn a_sign_up_with_a_passkey_that_does_not_hold_changes_nothing(
    subject: &impl FactorsSubject,
) {
    let factoring = Factoring::new(subject);
    let (taken, _, others) = factoring.with_passkey().await;
    let (user, key) = with_passkey();
    let challenge = factoring.opened_sign_up(&user).await;
    let second = factoring.second_step(&taken, 60).await;
    let (another, _) = with_passkey();
    let foreign = factoring.opened_sign_up(&another).await;
    let over = 60 + Challenge::LIFETIME.as_secs();
    let sign_up = by_passkey(&challenge, &user, &key);
    let bad = [
        (
            PasskeySignUp {
                user: User {
                    email: taken.email.clone(),
                    ..user.clone()
                },
                ..sign_up.clone()
            },
            PasskeySignUpOutcome::EmailTaken,
        ),
        (
            PasskeySignUp {
                passkey: Passkey {
                    credential: others.credential.clone(),
                    ..key.clone()
                },
                ..sign_up.clone()
            },
            PasskeySignUpOutcome::CredentialTaken,
        ),
        (
            by_passkey(&foreign, &user, &key),
            PasskeySignUpOutcome::Gone,
        ),
        (by_passkey(&second, &user, &key), PasskeySignUpOutcome::Gone),
        (
            PasskeySignUp {
                at: at(over),
                ..sign_up.clone()
            },
            PasskeySignUpOutcome::Gone,
        ),
    ];
    for (bad, expected) in bad {
        assert_eq!(factoring.sign_up(&bad).await, expected);
        assert_eq!(factoring.accounts.account(user.id).await, None);
        assert!(factoring.of(user.id).await.passkeys.is_empty());
    }
    let outcome = factoring.sign_up(&sign_up).await;
    assert_eq!(outcome, PasskeySignUpOutcome::Created, "not spent before");
}

/// However many are sent at once.
pub async fn parallel_sign_ups_by_one_passkey_make_one_account(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, key) = with_passkey();
    let challenge = factoring.opened_sign_up(&user).await;
    let calls = (0..10).map(|_| {
        let sign_up = by_passkey(&challenge, &user, &key);
        let of = Factoring::new(subject);
        async move { of.sign_up(&sign_up).await }
    });
    let outcomes = at_once(calls).await;
    let created = outcomes
        .iter()
        .filter(|outcome| **outcome == PasskeySignUpOutcome::Created);
    assert_eq!(created.count(), 1, "{outcomes:?}");
    assert_eq!(factoring.of(user.id).await.passkeys, [key]);
}

/// The proof of the mailbox has the passkey.
pub async fn a_proved_sign_up_has_its_passkey(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, key) = with_passkey();
    let proof = Proof {
        id: proof_id(),
        purpose: ProofPurpose::SignUp,
        address: email(),
        user: None,
        binding: None,
        asker: Fingerprint::of_browser("asker"),
        intent: Some(SignUpIntent::Passkey(Box::new(key.clone()))),
        locale: None,
        created_at: at(60),
        expires_at: at(900),
        attempts_left: Proof::ATTEMPTS,
        serial: 1,
    };
    factoring.open_proof(&proof).await;
    let user = User {
        email: proof.address.clone(),
        email_verified_at: Some(at(90)),
        ..user
    };
    let proved = ProvedSignUp {
        proof: proof.version(),
        session: session(&user, 90),
        codes: Some(codes(user.id, 1)),
        user: user.clone(),
        at: at(90),
    };
    let (_, _, others) = factoring.with_passkey().await;
    let taken = Proof {
        id: proof_id(),
        address: email(),
        intent: Some(SignUpIntent::Passkey(Box::new(Passkey {
            credential: others.credential.clone(),
            ..key.clone()
        }))),
        ..proof.clone()
    };
    factoring.open_proof(&taken).await;
    let late = ProvedSignUp {
        proof: taken.version(),
        user: User {
            email: taken.address.clone(),
            ..user.clone()
        },
        ..proved.clone()
    };
    let outcome = factoring.proofs.sign_up(&late, &untold()).await;
    assert_eq!(
        outcome.expect("sign_up works"),
        SignUpOutcome::CredentialTaken
    );
    let outcome = factoring.proofs.sign_up(&proved, &untold()).await;
    assert_eq!(outcome.expect("sign_up works"), SignUpOutcome::Created);
    assert_eq!(factoring.account(user.id).await, user);
    let factors = factoring.of(user.id).await;
    assert_eq!(factors.passkeys, [key]);
    assert_eq!(factors.codes, proved.codes);
}
