//! What changes the factors of accounts, and what becomes of it.

use crate::{
    factors::{FactorUse, RemovedFactor},
    model::{
        Challenge, ChallengeId, Epoch, Label, Passkey, PasskeyId, Proof, ProofVersion,
        RecoveryCodes, Session, Timestamp, Totp, TotpStep, User, UserId,
    },
    ports::{Asking, BeginOutcome, BeginSession},
};

/// A challenge that is opened.
#[derive(Clone, Debug)]
pub struct OpenChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// The mailed code that is the first step of a sign-in. It is spent.
    pub spends: Option<ProofVersion>,
}

/// A sign-in by a factor: the second step, or a passkey alone.
#[derive(Clone, Debug)]
pub struct FactorSignIn {
    /// The challenge, which is spent.
    pub challenge: ChallengeId,
    /// The factor.
    pub used: FactorUse,
    /// The session that begins.
    pub begin: BeginSession,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::sign_in`](super::Factors::sign_in).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorSignInOutcome {
    /// Challenge and factor are spent and the session is committed; or it is superseded, and nothing changed.
    SignedIn(BeginOutcome),
    /// The code was used before. Nothing changed.
    CodeUsed,
    /// The challenge is spent, expired, void or unknown, or the factor was removed. Nothing changed.
    Gone,
}

/// A sign-up with a passkey in place of a password.
#[derive(Clone, Debug)]
pub struct PasskeySignUp {
    /// The challenge of the registration, which is spent. The account's id is in it.
    pub challenge: ChallengeId,
    /// The account. [`User::factors`] has the passkey.
    pub user: User,
    /// Its first session.
    pub session: Session,
    /// The passkey.
    pub passkey: Passkey,
    /// The recovery codes.
    pub codes: RecoveryCodes,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::sign_up`](super::Factors::sign_up).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeySignUpOutcome {
    /// Account, session, passkey and recovery codes are committed.
    Created,
    /// The e-mail address is [taken](crate::ports::UserRepository). Nothing changed.
    EmailTaken,
    /// An account has that credential. Nothing changed.
    CredentialTaken,
    /// The challenge is spent, expired or unknown. Nothing changed.
    Gone,
}

/// A factor that is shown in a session.
#[derive(Clone, Debug)]
pub struct ShownInSession {
    /// The account.
    pub user: UserId,
    /// The session, and the account's epoch when the factor was read.
    pub asking: Asking,
    /// The factor.
    pub used: FactorUse,
    /// The challenge of a passkey, which is spent.
    pub challenge: Option<ChallengeId>,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::show`](super::Factors::show).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowOutcome {
    /// It counted, and does not count again.
    Shown,
    /// The code was used before. Nothing changed.
    CodeUsed,
    /// The challenge is spent, expired or unknown, or the factor was removed. Nothing changed.
    Gone,
    /// The session that asks has ended, or the epoch has risen. Nothing changed.
    Superseded,
}

/// An authenticator app that is set up. It counts for nothing before it is confirmed.
#[derive(Clone, Debug)]
pub struct TotpSetUp {
    /// Account and secret; not confirmed.
    pub totp: Totp,
    /// The session that asks.
    pub asking: Asking,
}

/// The outcome of [`Factors::set_up_totp`](super::Factors::set_up_totp).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpSetUpOutcome {
    /// It waits for a code; what waited before is gone.
    Waiting,
    /// The account has one that was confirmed. Nothing changed.
    Confirmed,
    /// The session that asks has ended, or the epoch has risen. Nothing changed.
    Superseded,
}

/// The first code of an authenticator app.
#[derive(Clone, Debug)]
pub struct TotpConfirmation {
    /// The app as it was read: the secret must be the same.
    pub totp: Totp,
    /// The step of the code, which counts no more.
    pub step: TotpStep,
    /// The recovery codes, for an account that has none.
    pub codes: RecoveryCodes,
    /// The session that asks.
    pub asking: Asking,
    /// The time.
    pub at: Timestamp,
}

/// A passkey that is registered in a session.
#[derive(Clone, Debug)]
pub struct PasskeyRegistration {
    /// The challenge, which is spent.
    pub challenge: ChallengeId,
    /// The passkey.
    pub passkey: Passkey,
    /// The recovery codes, for an account that has none.
    pub codes: RecoveryCodes,
    /// The session that asks.
    pub asking: Asking,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::confirm_totp`](super::Factors::confirm_totp) and [`Factors::add_passkey`](super::Factors::add_passkey).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddFactorOutcome {
    /// The factor counts.
    Added {
        /// Whether the new recovery codes are the account's: it had none.
        codes: bool,
        /// The account's new epoch, if this is its first factor: all other sessions have ended.
        raised: Option<Epoch>,
    },
    /// An account has that credential, this one or another. Nothing changed.
    CredentialTaken,
    /// The account has [as many passkeys as it may](Passkey::MOST). Nothing changed.
    TooMany,
    /// The challenge is spent, expired or unknown, or no app with this secret waits for its code. Nothing changed.
    Gone,
    /// The session that asks has ended, or the epoch has risen. Nothing changed.
    Superseded,
}

/// A passkey that gets another name.
#[derive(Clone, Debug)]
pub struct PasskeyRename {
    /// The account.
    pub user: UserId,
    /// The passkey.
    pub passkey: PasskeyId,
    /// The name.
    pub name: Label,
    /// The session that asks.
    pub asking: Asking,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::rename_passkey`](super::Factors::rename_passkey).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameOutcome {
    /// It has the name.
    Renamed,
    /// The account has no such passkey. Nothing changed.
    NotFound,
    /// The session that asks has ended. Nothing changed.
    Superseded,
}

/// A factor that is removed in a session.
#[derive(Clone, Debug)]
pub struct FactorRemoval {
    /// The account.
    pub user: UserId,
    /// What is removed.
    pub factor: RemovedFactor,
    /// Whether the account must keep a factor.
    pub needs_factor: bool,
    /// The session that asks.
    pub asking: Asking,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::remove`](super::Factors::remove).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveFactorOutcome {
    /// It is removed.
    Removed,
    /// The account has no such factor. Nothing changed.
    NotFound,
    /// The account needs it ([`crate::factors::removed`]). Nothing changed.
    LastFactor,
    /// The session that asks has ended, or the epoch has risen. Nothing changed.
    Superseded,
}

/// New recovery codes in the place of the account's.
#[derive(Clone, Debug)]
pub struct CodesReplacement {
    /// The set.
    pub codes: RecoveryCodes,
    /// The session that asks.
    pub asking: Asking,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::replace_codes`](super::Factors::replace_codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodesOutcome {
    /// They are the account's; the former ones count no more.
    Replaced,
    /// The account has no factor that they could stand in for. Nothing changed.
    NoFactor,
    /// The session that asks has ended, or the epoch has risen. Nothing changed.
    Superseded,
}

/// A reset of all factors of an account, which an operator orders.
#[derive(Clone, Debug)]
pub struct ResetOrder {
    /// The account.
    pub user: UserId,
    /// From when on it counts.
    pub due_at: Timestamp,
    /// What stops it, if the service sends mail. It is of [`ProofPurpose::StopFactorReset`](crate::model::ProofPurpose::StopFactorReset).
    pub proof: Option<Proof>,
    /// The time.
    pub at: Timestamp,
}

/// The outcome of [`Factors::order_reset`](super::Factors::order_reset).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetOrderOutcome {
    /// It counts from its time on.
    Ordered,
    /// One was ordered before and counts from then on. Nothing changed.
    Pending(Timestamp),
    /// The account has nothing to reset. Nothing changed.
    NoFactors,
    /// There is no such account.
    NotFound,
}

/// Who stops a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReset {
    /// Who reads the mailbox of the account.
    Proof(ProofVersion),
    /// A session of the account.
    Session(UserId, Asking),
}

/// The outcome of [`Factors::stop_reset`](super::Factors::stop_reset).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopResetOutcome {
    /// It is stopped, of this account.
    Stopped(UserId),
    /// No reset waits, or the proof does not count. Nothing changed.
    Gone,
    /// The session that asks has ended. Nothing changed.
    Superseded,
}

/// When a reset takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetFactors {
    /// Now, if one was ordered and is due.
    IfDue,
    /// Now, ordered or not.
    Forced,
}

/// The outcome of [`Factors::reset`](super::Factors::reset).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and mostly the largest"
)]
pub enum ResetOutcome {
    /// The factors are gone and all sessions have ended; the account as it is now.
    Reset(User),
    /// None is due, or there is nothing to reset: an order of such a reset is forgotten. Nothing else changed.
    Nothing,
    /// There is no such account.
    NotFound,
}
