//! The contract of [`Factors`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod challenges;
mod recover;
mod remove;
mod reset;
mod set_up;
mod sign_in;
mod sign_up;
mod stored;
mod use_once;

pub use challenges::*;
pub use recover::*;
pub use remove::*;
pub use reset::*;
pub use set_up::*;
pub use sign_in::*;
pub use sign_up::*;
pub use stored::*;
pub use use_once::*;

use super::{
    FactorsSubject,
    accounts::{Accounts, at, begin},
    given::{device_id, random, session},
};
use crate::untold::untold;
use revolve_domain::{
    factors::FactorUse,
    keys::SealedKey,
    model::{
        AccountFactors, AuthMethods, CeremonyState, Challenge, ChallengeId, ChallengeKind,
        ChallengedDevice, ChallengedUser, CodeMac, CredentialId, CredentialKey, Epoch, Label,
        Passkey, PasskeyCredential, PasskeyId, Proof, RecoveryCodes, Session, Totp, TotpStep,
        Transports, User, UserId,
    },
    ports::{
        AddFactorOutcome, Asking, BeginOutcome, FactorSignIn, FactorSignInOutcome, Factors,
        OpenChallenge, OpenProof, PasskeyRegistration, Proofs, TotpConfirmation, TotpSetUp,
        TotpSetUpOutcome,
    },
};
use std::sync::Arc;

/// The step of the first code of an app, at ten seconds.
const FIRST_STEP: u64 = 100;

const BEGUN: FactorSignInOutcome = FactorSignInOutcome::SignedIn(BeginOutcome::Begun {
    replaced: Vec::new(),
    expired: Vec::new(),
    evicted: Vec::new(),
});

/// The subject, with the helpers of the cases.
struct Factoring {
    accounts: Accounts,
    factors: Arc<dyn Factors>,
    proofs: Arc<dyn Proofs>,
}

impl Factoring {
    fn new(subject: &impl FactorsSubject) -> Self {
        Self {
            accounts: Accounts::new(subject),
            factors: subject.factors(),
            proofs: subject.proofs(),
        }
    }

    async fn of(&self, user: UserId) -> AccountFactors {
        self.factors.of(user).await.expect("of works")
    }

    async fn open(&self, challenge: &Challenge) -> bool {
        let open = OpenChallenge {
            challenge: challenge.clone(),
            spends: None,
        };
        let opened = self.factors.open(&open, &untold()).await;
        opened.expect("open works")
    }

    async fn find(&self, challenge: &Challenge, after: u64) -> Option<Challenge> {
        let found = self.factors.find(challenge.id, at(after)).await;
        found.expect("find works")
    }

    async fn attempt(&self, challenge: &Challenge, after: u64) -> Option<u32> {
        let tried = self
            .factors
            .attempt(challenge.id, challenge.kind, at(after))
            .await;
        let tried = tried.expect("attempt works");
        tried.map(|tried| tried.attempts_left)
    }

    async fn sign_in(&self, sign_in: &FactorSignIn) -> FactorSignInOutcome {
        let outcome = self.factors.sign_in(sign_in, &untold()).await;
        outcome.expect("sign_in works")
    }

    /// Opens a second step of the account on a device of its own.
    async fn second_step(&self, user: &User, after: u64) -> Challenge {
        let challenge = second_step(user, after);
        assert!(self.open(&challenge).await, "the account is as it was");
        challenge
    }

    async fn set_up_totp(&self, totp: &Totp, session: &Session) -> TotpSetUpOutcome {
        let set_up = TotpSetUp {
            totp: totp.clone(),
            asking: asking(session),
        };
        let outcome = self.factors.set_up_totp(&set_up, &untold()).await;
        outcome.expect("set_up_totp works")
    }

    async fn confirm(&self, totp: &Totp, session: &Session, step: u64) -> AddFactorOutcome {
        let confirmation = TotpConfirmation {
            totp: totp.clone(),
            step: TotpStep::new(step),
            codes: codes(totp.user, 1),
            asking: asking(session),
            at: at(10),
        };
        let outcome = self.factors.confirm_totp(&confirmation, &untold()).await;
        outcome.expect("confirm_totp works")
    }

    /// A new account with an app whose last step is [`FIRST_STEP`], as it is now, and its session as if it had begun now.
    async fn with_totp(&self) -> (User, Session) {
        let (user, session) = self.accounts.signed_up().await;
        self.add_totp(&user, &session).await;
        (self.account(user.id).await, self.present(session).await)
    }

    /// The session, of the present epoch of its account: what is asked in it is asked now.
    async fn present(&self, session: Session) -> Session {
        let epoch = self.account(session.user).await.epoch;
        Session { epoch, ..session }
    }

    async fn add_totp(&self, user: &User, session: &Session) {
        let totp = totp(user.id);
        let session = self.present(session.clone()).await;
        let waiting = self.set_up_totp(&totp, &session).await;
        assert_eq!(waiting, TotpSetUpOutcome::Waiting);
        let added = self.confirm(&totp, &session, FIRST_STEP).await;
        assert!(matches!(added, AddFactorOutcome::Added { .. }));
    }

    /// Registers the passkey, with a challenge of its own.
    async fn register(&self, passkey: &Passkey, session: &Session) -> AddFactorOutcome {
        let session = self.present(session.clone()).await;
        let challenge = of_session(ChallengeKind::Registration, &session, 5);
        assert!(self.open(&challenge).await, "the session lives");
        self.register_by(&challenge, passkey, &session).await
    }

    async fn register_by(
        &self,
        challenge: &Challenge,
        passkey: &Passkey,
        session: &Session,
    ) -> AddFactorOutcome {
        let registration = PasskeyRegistration {
            challenge: challenge.id,
            passkey: passkey.clone(),
            codes: codes(passkey.user, 1),
            asking: asking(session),
            at: at(10),
        };
        let outcome = self.factors.add_passkey(&registration, &untold()).await;
        outcome.expect("add_passkey works")
    }

    /// A new account with a password and a passkey, as it is now, and its session as if it had begun now.
    async fn with_passkey(&self) -> (User, Session, Passkey) {
        let (user, session) = self.accounts.signed_up().await;
        let passkey = passkey(user.id);
        let added = self.register(&passkey, &session).await;
        assert!(matches!(added, AddFactorOutcome::Added { .. }));
        let session = self.present(session).await;
        (self.account(user.id).await, session, passkey)
    }

    async fn open_proof(&self, proof: &Proof) {
        let open = OpenProof {
            proof: proof.clone(),
            withheld: true,
        };
        let opened = self.proofs.open(&open, &untold()).await;
        opened.expect("open works");
    }

    async fn account(&self, user: UserId) -> User {
        let account = self.accounts.account(user).await;
        account.expect("the account is there")
    }
}

fn asking(session: &Session) -> Asking {
    Asking {
        session: session.id,
        epoch: Some(session.epoch),
    }
}

/// An app that waits for its first code.
fn totp(user: UserId) -> Totp {
    Totp {
        user,
        sealed: sealed(),
        created_at: at(5),
        confirmed_at: None,
        last_step: None,
    }
}

fn sealed() -> SealedKey {
    SealedKey::new([random(), random()].concat())
}

fn passkey(user: UserId) -> Passkey {
    let id = [&[0, 0xff][..], &random()].concat();
    Passkey {
        id: PasskeyId::from_random(random()),
        user,
        name: Label::parse("Änn's 🔑").expect("a label"),
        credential: PasskeyCredential {
            id: CredentialId::from_bytes(id).expect("an id"),
            key: CredentialKey::from_bytes(vec![7; CredentialKey::MAX]).expect("a key"),
            algorithm: -257,
            aaguid: uuid::Uuid::from_bytes(random()),
            counter: 3,
            backup_eligible: true,
            backed_up: false,
            transports: Transports::named(["usb", "nfc"]),
        },
        created_at: at(10),
        used_at: None,
    }
}

/// A set of recovery codes whose MACs begin with that byte.
fn codes(user: UserId, first: u8) -> RecoveryCodes {
    RecoveryCodes {
        user,
        key: sealed(),
        macs: (0..10).map(|second| mac(first, second)).collect(),
        created_at: at(10),
    }
}

fn mac(first: u8, second: u8) -> CodeMac {
    let mut bytes = [0; CodeMac::LENGTH];
    (bytes[0], bytes[CodeMac::LENGTH - 1]) = (first, second);
    CodeMac::from_bytes(bytes)
}

/// A challenge of that kind with an account, if one is given.
fn challenge(kind: ChallengeKind, user: Option<ChallengedUser>, after: u64) -> Challenge {
    Challenge {
        id: ChallengeId::from_random(random()),
        kind,
        user,
        device: None,
        device_name: None,
        proved: None,
        ceremony: CeremonyState::from_bytes(vec![0, 1, 0xfe, 0xff]),
        created_at: at(after),
        expires_at: at(after).plus(Challenge::LIFETIME),
        attempts_left: Challenge::ATTEMPTS,
    }
}

/// A second step on a device of its own.
fn second_step(user: &User, after: u64) -> Challenge {
    let of = ChallengedUser {
        id: user.id,
        epoch: user.epoch,
        session: None,
    };
    Challenge {
        device: Some(ChallengedDevice {
            id: device_id(),
            is_known: false,
        }),
        device_name: Some(Label::parse("a test device").expect("a label")),
        proved: Some(AuthMethods::PASSWORD),
        ceremony: None,
        ..challenge(ChallengeKind::SecondStep, Some(of), after)
    }
}

/// A challenge of a session.
fn of_session(kind: ChallengeKind, session: &Session, after: u64) -> Challenge {
    let of = ChallengedUser {
        id: session.user,
        epoch: session.epoch,
        session: Some(session.id),
    };
    challenge(kind, Some(of), after)
}

/// A challenge of an account that is only to be made.
fn of_sign_up(user: UserId) -> Challenge {
    let of = ChallengedUser {
        id: user,
        epoch: Epoch::FIRST,
        session: None,
    };
    challenge(ChallengeKind::SignUp, Some(of), 60)
}

/// A code of [`totp`].
fn code_of(step: u64) -> FactorUse {
    FactorUse::Totp {
        set_up_at: at(5),
        step: TotpStep::new(step),
    }
}

const fn shown(passkey: &Passkey, counter: u32) -> FactorUse {
    FactorUse::Passkey {
        id: passkey.id,
        counter,
        backed_up: true,
    }
}

/// A sign-in by a challenge, on the device of that or on one of its own, with wide limits.
fn by_factor(challenge: &Challenge, user: &User, used: FactorUse, after: u64) -> FactorSignIn {
    let own = session(user, after);
    let session = Session {
        device: challenge.device.map_or(own.device, |device| device.id),
        authenticated_by: AuthMethods::PASSWORD.and_factor(AuthMethods::ONE_TIME_CODE),
        ..own
    };
    FactorSignIn {
        challenge: challenge.id,
        used,
        begin: begin(&session),
        at: at(after),
    }
}
