//! The repository of accounts.

use super::{PersonalData, StoreError};
use crate::{
    journal::Tell,
    model::{
        Credentials, DetailsChange, DeviceId, EmailAddress, Epoch, PasswordHash, Session,
        SessionId, Timestamp, User, UserId,
    },
};
use async_trait::async_trait;

/// The outcome of [`UserRepository::create`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// Account and session are committed.
    Created,
    /// The e-mail address is [taken](UserRepository). Nothing changed.
    EmailTaken,
}

/// The outcome of [`UserRepository::add`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddOutcome {
    /// The account is committed.
    Added,
    /// The e-mail address is [taken](UserRepository). Nothing changed.
    EmailTaken,
    /// An account has that id. Nothing changed.
    IdTaken,
}

/// The outcome of [`UserRepository::update`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and mostly the largest"
)]
pub enum UpdateOutcome {
    /// The account after the change.
    Updated(User),
    /// The e-mail address is [taken](UserRepository). Nothing changed.
    EmailTaken,
    /// There is no such account.
    NotFound,
    /// The session that asked has ended, or the epoch has risen since the password was shown. Nothing changed.
    Superseded,
}

/// The session that asks for a change. It must be live when the change commits, so that no change takes effect after the end of
/// its session was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The session.
    pub session: SessionId,
    /// The user's epoch when the password was shown, which the change needs: it must be the same when the change commits. `None` if
    /// the change needs no password.
    pub epoch: Option<Epoch>,
}

/// A change of password from within a session.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The account.
    pub user: UserId,
    /// The session that asks; it continues.
    pub session: SessionId,
    /// The user's epoch when the current hash was read.
    pub epoch: Epoch,
    /// The new hash.
    pub hash: PasswordHash,
    /// The time of the change.
    pub at: Timestamp,
}

/// The outcome of [`UserRepository::change_password`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordOutcome {
    /// The password was changed and all other sessions have ended; this is the user's new epoch.
    Changed(Epoch),
    /// The session that asked has ended, or the epoch has risen. Nothing changed.
    Superseded,
}

/// Keeps accounts.
///
/// Every method is one atomic intent: it happens whole or not at all, and is durable when it answers `Ok`. Reads MUST see every
/// write that was acknowledged before they began. What `tell` says of the outcome is committed with it ([`super::Journal`]).
///
/// An address is *taken* if another account is stored under its key or its former form, or another account's proof
/// [restores](crate::proofs::restores) it. No account MUST get a taken address, also if the change that leaves such a proof behind commits at the
/// same time. `tell` has the time where a method has none.
///
/// A former system knows an account by the address that it was imported with. With another one its [mark](PasswordHash::legacy) MUST become that of an
/// account without a password, whichever port changes it.
///
/// The contract suite is `revolve_testkit::contract::users`.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Creates an account and its first session in one commit, and remembers the session's device. MUST answer `EmailTaken` and change
    /// nothing if the address is taken, also when many such calls run at once.
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
        tell: &Tell<CreateOutcome>,
    ) -> Result<CreateOutcome, StoreError>;

    /// Creates an account without a session in one commit. MUST answer `EmailTaken` or `IdTaken` and change
    /// nothing if the address is taken or an account has that id, also when many such calls run at once; either of the two if both are so.
    async fn add(
        &self,
        user: &User,
        hash: &PasswordHash,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError>;

    /// The account with that address, be it stored under the address's former form (which counts first) or under its key; its hash, and
    /// which of the devices its user has signed in on: a current one before others, then the latest. MUST be one read, and the same
    /// work whether there is such an account or not, as far as possible: the time of a sign-in must not reveal it.
    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        devices: &[DeviceId],
    ) -> Result<Option<Credentials>, StoreError>;

    /// The account with that id and its hash; `known_device` is `None`.
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError>;

    /// All that is stored about the account; `None` if there is no such account. MUST be one consistent view, and take time in proportion to its
    /// answer, however many accounts there are.
    async fn personal_data(&self, user: UserId) -> Result<Option<PersonalData>, StoreError>;

    /// Replaces the hash `old` by `new`, for the same password; does nothing if the hash is no longer `old`.
    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Changes details, and raises the version. Fields that the change does not name MUST keep the value that they have at commit. MUST answer
    /// `Superseded` and change nothing unless the session that asks is live, and its epoch the user's, at commit; an operator's
    /// change has none. MUST answer `EmailTaken` and change nothing if the address becomes another one that is taken.
    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<UpdateOutcome>,
    ) -> Result<UpdateOutcome, StoreError>;

    /// Sets a new password, raises the epoch, keeps the session that asks and ends all others with
    /// [`crate::model::EndReason::PasswordChanged`], in one commit. MUST answer `Superseded` and change nothing unless
    /// the session is live and the epoch is the one given.
    async fn change_password(
        &self,
        change: &PasswordChange,
        tell: &Tell<PasswordOutcome>,
    ) -> Result<PasswordOutcome, StoreError>;

    /// Deletes the account and ends its sessions with [`crate::model::EndReason::AccountDeleted`], in one commit. What
    /// the sessions' rows and the journal have of devices and addresses MUST be deleted, too, and so MUST the user's devices. MUST answer
    /// `false` and change nothing if there is no such account, or unless the session that asks is live, and its epoch the user's, at commit;
    /// an operator's deletion has none.
    async fn delete(
        &self,
        user: UserId,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError>;

    /// Answers `Ok` if the store can be used.
    async fn ping(&self) -> Result<(), StoreError>;
}
