//! Proofs of mailboxes.

use super::{AddOutcome, BeginOutcome, BeginSession, StoreError};
use crate::{
    journal::Tell,
    model::{
        Challenge, Credentials, EmailAddress, Epoch, PasswordHash, Proof, ProofId, ProofPurpose,
        ProofVersion, RecoveryCodes, Session, Timestamp, User, UserId,
    },
    proofs::signs_in,
};
use async_trait::async_trait;
use secrecy::SecretString;

/// A proof that is asked for.
#[derive(Clone, Debug)]
pub struct OpenProof {
    /// The proof, if the client has none of the same scope that is open.
    pub proof: Proof,
    /// Nobody gets the mail: there is no such account, or none that may. The work of a store MUST be the same all the same.
    pub withheld: bool,
}

impl OpenProof {
    /// The account that the request tells of, if there is one.
    pub fn account(&self, tell: &Tell<StandingProof>) -> Option<UserId> {
        let (entries, mails) = tell.of(&StandingProof::from(&self.proof));
        let told = entries.iter().find_map(|entry| entry.event.fields().user);
        told.or_else(|| mails.iter().find_map(|mail| mail.user))
    }
}

/// A proof that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingProof {
    /// Its id.
    pub id: ProofId,
    /// Which of its codes counts.
    pub serial: u32,
    /// The mailbox, which alone may be sent the code.
    pub address: EmailAddress,
    /// From when on it can't be used.
    pub expires_at: Timestamp,
}

impl From<&Proof> for StandingProof {
    fn from(proof: &Proof) -> Self {
        Self {
            id: proof.id,
            serial: proof.serial,
            address: proof.address.clone(),
            expires_at: proof.expires_at,
        }
    }
}

/// A proof that resets a password, or undoes a change of address, and begins a session.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The proof.
    pub proof: ProofVersion,
    /// The new password's hash.
    pub hash: PasswordHash,
    /// What comes of it.
    pub then: RecoveryStep,
    /// The time.
    pub at: Timestamp,
}

/// What a recovery leads to.
#[derive(Clone, Debug)]
pub enum RecoveryStep {
    /// A session that begins: of the account's next epoch, on a device of its own. Only for an account without a factor, where one is needed.
    Session {
        /// The session.
        session: Session,
        /// Whether it MUST not begin if the account has a factor set up by now.
        unless_factor: bool,
    },
    /// The second step of a sign-in, of the account's next epoch.
    Challenge(Challenge),
}

impl RecoveryStep {
    /// The epoch that it is of.
    pub fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Session { session, .. } => Some(session.epoch),
            Self::Challenge(challenge) => challenge.user.map(|user| user.epoch),
        }
    }
}

/// The outcome of [`Proofs::recover`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and mostly the largest"
)]
pub enum RecoveryOutcome {
    /// All is committed; the account as it is now.
    Recovered(User),
    /// The proof is spent, expired, void or unknown. Nothing changed.
    Gone,
    /// Another account has the address that was to be restored. Nothing changed.
    EmailTaken,
    /// The account has got a factor, and a session was to begin without one. Nothing changed.
    FactorRequired,
}

/// A change of address.
#[derive(Clone, Debug)]
pub struct AddressChange {
    /// The proof of the new address.
    pub proof: ProofVersion,
    /// The proof that undoes it; `None` if the former address was never verified.
    pub undo: Option<Proof>,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Proofs::change_email`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and mostly the largest"
)]
pub enum AddressOutcome {
    /// The address is changed; the account as it is now.
    Changed(User),
    /// The proof is spent, expired, void or unknown. Nothing changed.
    Gone,
    /// The address is [taken](super::UserRepository). Nothing changed.
    EmailTaken,
}

/// An account that an operator makes, and the proof by which its owner chooses the password.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The account.
    pub user: User,
    /// A hash that no password is known of.
    pub hash: PasswordHash,
    /// The proof, bound to both.
    pub proof: Proof,
}

/// A sign-up whose mailbox is proved.
#[derive(Clone, Debug)]
pub struct ProvedSignUp {
    /// The proof, which has the password hash.
    pub proof: ProofVersion,
    /// The account: with the address of the proof, which is verified. Where the proof has a passkey, the account's id and factors are those of it.
    pub user: User,
    /// Its first session.
    pub session: Session,
    /// The recovery codes, where the proof has a passkey.
    pub codes: Option<RecoveryCodes>,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Proofs::sign_up`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpOutcome {
    /// Account and session are committed.
    Created,
    /// The proof is spent, expired, void or unknown. Nothing changed.
    Gone,
    /// The address is [taken](super::UserRepository) by now. Nothing changed.
    EmailTaken,
    /// An account has the credential of the passkey by now. Nothing changed.
    CredentialTaken,
}

/// A sign-in by a proof of the mailbox.
#[derive(Clone, Debug)]
pub struct ProvedSignIn {
    /// The proof.
    pub proof: ProofVersion,
    /// The session that begins.
    pub begin: BeginSession,
    /// The time.
    pub at: Timestamp,
}

impl ProvedSignIn {
    /// Whether the proof, as the store has it, begins this session of the account.
    pub fn counts(&self, proof: &Proof, account: &Credentials) -> bool {
        signs_in(proof, account) && account.user.id == self.begin.session.user
    }
}

/// The outcome of [`Proofs::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and mostly the largest"
)]
pub enum VerifyOutcome {
    /// The address is verified; the account as it is now.
    Verified(User),
    /// The proof is spent, expired, void or unknown. Nothing changed.
    Gone,
}

/// Keeps proofs, and grants what they prove.
///
/// The same guarantees as [`super::UserRepository`], over the same accounts. A proof is spent in the commit of what it grants: however many
/// confirm it at once, one succeeds. The rules are those of [`crate::proofs`]. A spent or void proof leaves no row. One whose mail was asked for
/// again since it was checked has another serial, and MUST grant nothing, like one that is gone.
///
/// The contract suite is `revolve_testkit::contract::proofs`.
#[async_trait]
pub trait Proofs: Send + Sync {
    /// Stores what [`crate::proofs::open`] says and the mail of `tell`, in one commit; calls of one [`scope`](Proof::scope) MUST be serial. The work
    /// MUST be the same whatever the account, as far as possible. If [the account](OpenProof::account) was deleted meanwhile, nothing that
    /// identifies its person MUST stay, and no mail.
    async fn open(
        &self,
        open: &OpenProof,
        tell: &Tell<StandingProof>,
    ) -> Result<StandingProof, StoreError>;

    /// The proof, unless it has expired.
    async fn find(&self, proof: ProofId, at: Timestamp) -> Result<Option<Proof>, StoreError>;

    /// The proof that [restores](crate::proofs::restores) this address, the newest if there are several. MUST be one read by key.
    async fn undo_of(
        &self,
        address: &EmailAddress,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError>;

    /// Counts an attempt and answers the proof with the attempts that are left after it; `None` if there is none of that purpose that can still be
    /// tried. MUST commit before it answers: the code is compared after that.
    async fn attempt(
        &self,
        proof: ProofId,
        purpose: ProofPurpose,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError>;

    /// Gives back what [`Self::attempt`] counted, since the code was right. MUST never leave more than [`Proof::ATTEMPTS`].
    async fn forgive(&self, proof: ProofId) -> Result<(), StoreError>;

    /// Sets the password, raises the epoch, ends all sessions with [`crate::model::EndReason::Recovered`], leaves of the factors and of an ordered reset
    /// what [`crate::proofs::recovered`] does, begins the session and remembers its device, or opens the challenge and begins none, spends the proof and voids the account's others but for those that
    /// [outlive](crate::proofs::outlives) it, in one commit. MUST answer `Gone` and change nothing unless
    /// [`crate::proofs::recovered`] says otherwise and session or challenge is of the epoch that it says; `EmailTaken` and change nothing if another
    /// account has the address that is restored; `FactorRequired` and change nothing where [`crate::factors::may_begin`] says so. MUST store the session
    /// as it is.
    async fn recover(
        &self,
        recovery: &Recovery,
        tell: &Tell<RecoveryOutcome>,
    ) -> Result<RecoveryOutcome, StoreError>;

    /// Verifies the account's address as [`crate::proofs::verified`] says and spends the proof, in one commit.
    async fn verify(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<VerifyOutcome>,
    ) -> Result<VerifyOutcome, StoreError>;

    /// Deletes the account of the proof as [`super::UserRepository::delete`] does, if [`crate::proofs::disowns`] says so: nothing but the address,
    /// which is another person's, opens it. Answers which it was; `None` if the proof does not count.
    async fn disown(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<Option<UserId>>,
    ) -> Result<Option<UserId>, StoreError>;

    /// Changes the account's address as [`crate::proofs::changed`] says, spends the proof and opens the one that undoes it, if there is
    /// one, in one commit. MUST answer `EmailTaken` and change nothing if the address is [taken](super::UserRepository).
    async fn change_email(
        &self,
        change: &AddressChange,
        tell: &Tell<AddressOutcome>,
    ) -> Result<AddressOutcome, StoreError>;

    /// Creates the account with the password of the proof, or with its passkey and the recovery codes, and its first session as it is, remembers the
    /// session's device, and voids all sign-ups of the address, in one commit. MUST answer `EmailTaken` and change nothing if the address is
    /// [taken](super::UserRepository); `CredentialTaken` and change nothing if an account has the passkey's credential.
    async fn sign_up(
        &self,
        sign_up: &ProvedSignUp,
        tell: &Tell<SignUpOutcome>,
    ) -> Result<SignUpOutcome, StoreError>;

    /// Creates the account without a session, as [`super::UserRepository::add`] does, and stores its proof, in one commit with the mail of `tell`.
    async fn invite(
        &self,
        invitation: &Invitation,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError>;

    /// Commits a sign-in as [`super::SessionRepository::begin`] does, and spends the proof if the session begins, in one commit. MUST answer `None` and
    /// change nothing unless [`ProvedSignIn::counts`] says that the proof does.
    async fn sign_in(
        &self,
        sign_in: &ProvedSignIn,
        tell: &Tell<Option<BeginOutcome>>,
    ) -> Result<Option<BeginOutcome>, StoreError>;

    /// Which of these are open.
    async fn standing(
        &self,
        proofs: &[ProofId],
        at: Timestamp,
    ) -> Result<Vec<StandingProof>, StoreError>;

    /// Deletes up to `limit` proofs that expired before `before`; answers how many it deleted.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Derives the secrets of proofs: nothing is stored, and a repeated mail says the same.
pub trait ProofSecrets: Send + Sync {
    /// Six decimal digits, each as likely as any other.
    fn code(&self, proof: ProofId, serial: u32) -> SecretString;

    /// The secret of a link: at least 128 bits, in characters that need no escape in a URL.
    fn secret(&self, proof: ProofId, serial: u32) -> SecretString;

    /// Whether this is the code. MUST compare in constant time.
    fn is_code(&self, proof: ProofId, serial: u32, code: &SecretString) -> bool;

    /// Whether this is the secret. MUST compare in constant time.
    fn is_secret(&self, proof: ProofId, serial: u32, secret: &SecretString) -> bool;
}
