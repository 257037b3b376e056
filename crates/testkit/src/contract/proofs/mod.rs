//! The contract of [`Proofs`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod change;
mod invite;
mod open;
mod recover;
mod restore;
mod sign_in;
mod sign_up;
mod spend;
mod stored;

pub use change::*;
pub use invite::*;
pub use open::*;
pub use recover::*;
pub use restore::*;
pub use sign_in::*;
pub use sign_up::*;
pub use spend::*;
pub use stored::*;

use super::{
    ProofsSubject,
    accounts::{Accounts, at},
    given::{hash, proof_id, random, session},
};
use crate::untold::untold;
use revolve_domain::{
    model::{
        Binding, Credentials, EmailAddress, Fingerprint, Proof, ProofPurpose, Session,
        SignUpIntent, User, UserId,
    },
    ports::{
        JournalQuery, OpenProof, Proofs, Recovery, RecoveryOutcome, RecoveryStep, StandingProof,
        VerifyOutcome,
    },
};
use std::sync::Arc;

/// The subject, with the helpers of the cases.
struct Proving {
    accounts: Accounts,
    proofs: Arc<dyn Proofs>,
}

impl Proving {
    fn new(subject: &impl ProofsSubject) -> Self {
        Self {
            accounts: Accounts::new(subject),
            proofs: subject.proofs(),
        }
    }

    async fn credentials(&self, user: UserId) -> Credentials {
        let found = self.accounts.users.credentials(user).await;
        found
            .expect("credentials works")
            .expect("the account is there")
    }

    /// A proof of the account's present address that was asked for this many seconds after the start.
    async fn proof(&self, purpose: ProofPurpose, user: &User, after: u64) -> Proof {
        let account = self.credentials(user.id).await;
        Proof {
            user: Some(user.id),
            binding: Some(Binding::of(&account)),
            ..proof(purpose, &account.user.email, after)
        }
    }

    async fn open(&self, proof: &Proof) -> StandingProof {
        let open = OpenProof {
            proof: proof.clone(),
            withheld: proof.user.is_none(),
        };
        let opened = self.proofs.open(&open, &untold()).await;
        opened.expect("open works")
    }

    /// The client that asked for the proof asks for another mail: the proof as it is then.
    async fn again(&self, proof: &Proof) -> Proof {
        let again = Proof {
            id: proof_id(),
            created_at: at(61),
            ..proof.clone()
        };
        let standing = self.open(&again).await;
        assert_eq!((standing.id, standing.serial), (proof.id, 2));
        Proof {
            id: proof.id,
            serial: 2,
            ..again
        }
    }

    /// A proof of the account that is open.
    async fn opened(&self, purpose: ProofPurpose, user: &User) -> Proof {
        let proof = self.proof(purpose, user, 60).await;
        self.open(&proof).await;
        proof
    }

    async fn find(&self, proof: &Proof, after: u64) -> Option<Proof> {
        let found = self.proofs.find(proof.id, at(after)).await;
        found.expect("find works")
    }

    async fn attempt(&self, proof: &Proof, after: u64) -> Option<u32> {
        let counted = self
            .proofs
            .attempt(proof.id, proof.purpose, at(after))
            .await
            .expect("attempt works");
        counted.map(|proof| proof.attempts_left)
    }

    async fn verify(&self, proof: &Proof, after: u64) -> VerifyOutcome {
        self.proofs
            .verify(proof.version(), at(after), &untold())
            .await
            .expect("verify works")
    }

    async fn recover(&self, recovery: &Recovery) -> RecoveryOutcome {
        self.proofs
            .recover(recovery, &untold())
            .await
            .expect("recover works")
    }
}

/// What the journal has of an account, the newest first.
async fn entries(subject: &impl ProofsSubject, user: &User) -> Vec<String> {
    let query = JournalQuery {
        user: Some(user.id),
        limit: 10,
        ..JournalQuery::default()
    };
    let read = subject.journal().read(&query).await.expect("read works");
    read.into_iter().map(|entry| entry.event).collect()
}

/// A proof of a mailbox without an account.
fn proof(purpose: ProofPurpose, address: &EmailAddress, after: u64) -> Proof {
    Proof {
        id: proof_id(),
        purpose,
        address: address.clone(),
        user: None,
        binding: None,
        asker: Fingerprint::of_browser(&format!("{:?}", random())),
        intent: None,
        locale: Some("de-CH".parse().expect("a language tag")),
        created_at: at(after),
        expires_at: at(after).plus(purpose.lifetime()),
        attempts_left: Proof::ATTEMPTS,
        serial: 1,
    }
}

/// A recovery of the account as it is after that many raises of the epoch.
fn recovery(proof: &Proof, user: &User, after: u64) -> Recovery {
    Recovery {
        proof: proof.version(),
        hash: hash("recovered"),
        then: RecoveryStep::Session {
            session: Session {
                epoch: user.epoch.next(),
                ..session(user, after)
            },
            unless_factor: true,
        },
        at: at(after),
    }
}

/// The session of a recovery that begins one.
fn begun(recovery: &Recovery) -> &Session {
    match &recovery.then {
        RecoveryStep::Session { session, .. } => session,
        RecoveryStep::Challenge(_) => panic!("it begins no session"),
    }
}

/// The fields of a proof that can be compared.
fn told_of(proof: &Proof) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        (proof.id, proof.purpose, proof.address.as_str().to_owned()),
        (proof.user, proof.binding.clone(), proof.asker),
        proof.intent.as_ref().map(SignUpIntent::stored),
        proof.locale.clone(),
        (proof.created_at, proof.expires_at),
        (proof.attempts_left, proof.serial),
    )
}
