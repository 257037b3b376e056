//! The store of factors and of challenges.

use super::{
    AddFactorOutcome, CodesOutcome, CodesReplacement, FactorRemoval, FactorSecretUse, FactorSignIn,
    FactorSignInOutcome, OpenChallenge, PasskeyRegistration, PasskeyRename, PasskeySignUp,
    PasskeySignUpOutcome, RemoveFactorOutcome, RenameOutcome, ResetFactors, ResetOrder,
    ResetOrderOutcome, ResetOutcome, ShowOutcome, ShownInSession, StopReset, StopResetOutcome,
    TotpConfirmation, TotpSetUp, TotpSetUpOutcome,
};
use crate::{
    journal::Tell,
    keys::SealedKey,
    model::{
        AccountFactors, Challenge, ChallengeId, ChallengeKind, CredentialId, Passkey, Timestamp,
        UserId,
    },
    ports::StoreError,
};
use async_trait::async_trait;

/// A secret of an account, as it is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFactor {
    /// The account.
    pub user: UserId,
    /// What it is for.
    pub of: FactorSecretUse,
    /// The secret.
    pub sealed: SealedKey,
}

/// Keeps factors and challenges, in the user database beside the accounts.
///
/// The same guarantees as [`UserRepository`](crate::ports::UserRepository), over the same accounts. The rules are those of [`crate::factors`], and what
/// changes an account's factors is serial per account (the lock of its row). Every commit that adds or removes a factor MUST leave
/// [`User::factors`](crate::model::User::factors) as [`AccountFactors::set_up`] says, so that each later read of the account says it.
///
/// A method with `asking` MUST answer `Superseded` and change nothing unless that session is live at the time of the call and the account's epoch
/// is the one that is expected, if one is (as [`UserRepository::update`](crate::ports::UserRepository::update)).
///
/// A spent or void challenge leaves no row. A challenge whose time is over, or of another epoch than its account's, MUST grant nothing, like one that is
/// gone. With the account everything that it has here goes: factors, codes, challenges and an ordered reset.
///
/// The contract suite is `revolve_testkit::contract::factors`.
#[async_trait]
pub trait Factors: Send + Sync {
    /// All factors of the account; none for one that there is not. MUST be one consistent view.
    async fn of(&self, user: UserId) -> Result<AccountFactors, StoreError>;

    /// The passkey with that credential. MUST be one read by key.
    async fn by_credential(&self, credential: &CredentialId)
    -> Result<Option<Passkey>, StoreError>;

    /// Opens a challenge and deletes the oldest of its [scope](Challenge::scope) that are over [`Challenge::most`]; spends the mailed code that is the first
    /// step, if there is one; all in one commit. MUST answer `false` and change nothing unless the challenge [holds](crate::factors::holds), where
    /// it is of an account that exists (not [`ChallengeKind::SignUp`]), and the proof [signs in](crate::proofs::signs_in) to that account.
    async fn open(&self, open: &OpenChallenge, tell: &Tell<bool>) -> Result<bool, StoreError>;

    /// The challenge, unless it has expired.
    async fn find(
        &self,
        challenge: ChallengeId,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError>;

    /// Counts an attempt and answers the challenge with the attempts that are left after it; `None` if there is none of that kind that can still
    /// be tried. MUST commit before it answers: what is shown is compared after that.
    async fn attempt(
        &self,
        challenge: ChallengeId,
        kind: ChallengeKind,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError>;

    /// Gives back what [`Self::attempt`] counted, since what was shown was right. MUST never leave more than [`Challenge::ATTEMPTS`].
    async fn forgive(&self, challenge: ChallengeId) -> Result<(), StoreError>;

    /// Uses the factor as [`used`](crate::factors::used) says, spends the challenge and commits the session as
    /// [`SessionRepository::begin`](crate::ports::SessionRepository::begin) does, in one commit. MUST change nothing unless all three do. The challenge MUST be one
    /// of a second step of this account or of a sign-in with a passkey, the latter only with a passkey of the session's account. However many are called at once
    /// with one challenge, one succeeds; and so with one code, whatever the challenges.
    async fn sign_in(
        &self,
        sign_in: &FactorSignIn,
        tell: &Tell<FactorSignInOutcome>,
    ) -> Result<FactorSignInOutcome, StoreError>;

    /// Creates an account without a password, its first session, its passkey and its recovery codes, remembers the session's device and spends the
    /// challenge, which MUST be one of [`ChallengeKind::SignUp`] with the account's id, in one commit.
    async fn sign_up(
        &self,
        sign_up: &PasskeySignUp,
        tell: &Tell<PasskeySignUpOutcome>,
    ) -> Result<PasskeySignUpOutcome, StoreError>;

    /// Uses the factor as [`used`](crate::factors::used) says and spends the challenge, if there is one, which MUST be of
    /// [`ChallengeKind::Reauthentication`] and of this session, in one commit.
    async fn show(
        &self,
        shown: &ShownInSession,
        tell: &Tell<ShowOutcome>,
    ) -> Result<ShowOutcome, StoreError>;

    /// Keeps the secret of an authenticator app until it is confirmed, in the place of one that waits.
    async fn set_up_totp(
        &self,
        set_up: &TotpSetUp,
        tell: &Tell<TotpSetUpOutcome>,
    ) -> Result<TotpSetUpOutcome, StoreError>;

    /// Confirms the app that waits with this very secret: its last step is that of the code. The recovery codes are kept if the account has no set. The
    /// first factor of an account [raises](crate::factors::raised) its epoch and ends all sessions but the one that asks with
    /// [`EndReason::FactorAdded`](crate::model::EndReason::FactorAdded), in the same commit, as a change of the password does; but the device of that session
    /// stays [current](crate::model::KnownDevice::is_current), if it was.
    /// Never answers `CredentialTaken` or `TooMany`.
    async fn confirm_totp(
        &self,
        confirmation: &TotpConfirmation,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError>;

    /// Adds a passkey and spends the challenge, which MUST be of [`ChallengeKind::Registration`] and of this session. The recovery codes are kept if the
    /// account has no set, and the first factor ends sessions, as by [`Self::confirm_totp`]. No two accounts MUST get one credential, however many calls are made at once.
    async fn add_passkey(
        &self,
        registration: &PasskeyRegistration,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError>;

    /// Gives a passkey another name.
    async fn rename_passkey(
        &self,
        rename: &PasskeyRename,
        tell: &Tell<RenameOutcome>,
    ) -> Result<RenameOutcome, StoreError>;

    /// Removes a factor as [`removed`](crate::factors::removed) says of the account at commit.
    async fn remove(
        &self,
        removal: &FactorRemoval,
        tell: &Tell<RemoveFactorOutcome>,
    ) -> Result<RemoveFactorOutcome, StoreError>;

    /// Puts a set of recovery codes in the place of the account's.
    async fn replace_codes(
        &self,
        replacement: &CodesReplacement,
        tell: &Tell<CodesOutcome>,
    ) -> Result<CodesOutcome, StoreError>;

    /// Keeps the order of a reset, with its proof. There is one for each account at most. What counts is a factor that is set up or a recovery code.
    async fn order_reset(
        &self,
        order: &ResetOrder,
        tell: &Tell<ResetOrderOutcome>,
    ) -> Result<ResetOrderOutcome, StoreError>;

    /// Forgets the order of a reset, due or not, with its proof. The proof MUST be as it was shown, and open. Of the session only that it lives counts.
    async fn stop_reset(
        &self,
        stop: StopReset,
        at: Timestamp,
        tell: &Tell<StopResetOutcome>,
    ) -> Result<StopResetOutcome, StoreError>;

    /// Up to `limit` accounts whose reset is due.
    async fn due_resets(&self, at: Timestamp, limit: u32) -> Result<Vec<UserId>, StoreError>;

    /// Removes factors and recovery codes as [`reset_by_order`](crate::factors::reset_by_order) or [`reset_at_once`](crate::factors::reset_at_once) says of
    /// the account at commit, its challenges and the order with its proof, ends all sessions with
    /// [`EndReason::FactorsReset`](crate::model::EndReason::FactorsReset) and raises the epoch, in one commit. Of several calls for one order one resets.
    async fn reset(
        &self,
        user: UserId,
        when: ResetFactors,
        at: Timestamp,
        tell: &Tell<ResetOutcome>,
    ) -> Result<ResetOutcome, StoreError>;

    /// The sealed secrets of up to `limit` accounts whose id is greater than `after`, by id in ascending order of bytes: all of each account.
    async fn sealed(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<SealedFactor>, StoreError>;

    /// Replaces the sealed form `from` of a secret by `to`. MUST answer `false` and change nothing if it is no longer `from`.
    async fn reseal(&self, secret: &SealedFactor, to: &SealedKey) -> Result<bool, StoreError>;

    /// Deletes up to `limit` challenges that expired before `expired`, and up to as many secrets of apps that were made before `made` and never
    /// confirmed. Answers the greater number.
    async fn prune(
        &self,
        expired: Timestamp,
        made: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
