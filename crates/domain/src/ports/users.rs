//! Accounts.

use super::StoreError;
use crate::model::{
    Credentials, DetailsChange, DeviceId, EmailAddress, Epoch, PasswordHash, Session, SessionId,
    Timestamp, User, UserId,
};
use async_trait::async_trait;

/// How a sign-up came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// Account and session are there.
    Created,
    /// Another account has that e-mail address. Nothing changed.
    EmailTaken,
}

/// How adding an account came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddOutcome {
    /// The account is there.
    Added,
    /// Another account has that e-mail address. Nothing changed.
    EmailTaken,
    /// An account has that id. Nothing changed.
    IdTaken,
}

/// How a change of details came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The account as it is now.
    Updated(User),
    /// Another account has that e-mail address. Nothing changed.
    EmailTaken,
    /// There is no such account.
    NotFound,
    /// The session that asked is over. Nothing changed.
    Superseded,
}

/// The session that asks for a change: it must still live when the change commits, so that what was under way when it
/// ended does not take effect after its end was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Which session of the user.
    pub session: SessionId,
    /// Now, for its absolute end.
    pub at: Timestamp,
}

/// A change of password from within a session.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose password.
    pub user: UserId,
    /// The session that asks, and goes on.
    pub session: SessionId,
    /// The user's epoch when the current hash was read.
    pub epoch: Epoch,
    /// The new hash.
    pub hash: PasswordHash,
    /// When.
    pub at: Timestamp,
}

/// How a change of password came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordOutcome {
    /// The new password holds; all other sessions are over, and this is the user's new epoch.
    Changed(Epoch),
    /// The session that asked is over, or the epoch has moved since. Nothing changed.
    Superseded,
}

/// Keeps accounts.
///
/// Every method is one atomic intent: it happens whole or not at all, and has been made durable when it answers `Ok`.
/// Reads MUST see every write that was acknowledged before they began.
///
/// The contract suite is `revolve_testkit::contract::users`.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Creates an account and its first session in one commit, whose device the user has signed in on from then on. MUST answer `EmailTaken` and change nothing if an account
    /// has that address, also when many such calls run at once.
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
    ) -> Result<CreateOutcome, StoreError>;

    /// Creates an account without a session, as it was elsewhere, in one commit. MUST answer `EmailTaken` or `IdTaken` and change
    /// nothing if an account has that address or that id, also when many such calls run at once; either of the two if both are so.
    async fn add(&self, user: &User, hash: &PasswordHash) -> Result<AddOutcome, StoreError>;

    /// The account with that address, its hash, and whether its user has signed in on `device`. MUST be one read, and the same work
    /// whether there is such an account or not, as far as it can: sign-ins ask, and time is not to tell.
    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceId>,
    ) -> Result<Option<Credentials>, StoreError>;

    /// The account with that id and its hash; it knows no device.
    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError>;

    /// Replaces the hash `old` by `new`, for the same password; does nothing if the hash is no longer `old`.
    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Changes details. Fields that the change does not name MUST keep the value that they have at commit. MUST answer
    /// `Superseded` and change nothing unless the session that asks lives at commit; nobody asks for an operator.
    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
    ) -> Result<UpdateOutcome, StoreError>;

    /// Sets a new password, raises the epoch, keeps the session that asks and ends all others with
    /// [`crate::model::EndReason::PasswordChanged`], in one commit. MUST answer `Superseded` and change nothing unless
    /// the session lives and the epoch is the one given.
    async fn change_password(&self, change: &PasswordChange)
    -> Result<PasswordOutcome, StoreError>;

    /// Deletes the account and ends its sessions with [`crate::model::EndReason::AccountDeleted`], in one commit. What
    /// the sessions' rows say about devices and addresses MUST go, too, and so MUST the devices that the user has signed in on. MUST
    /// answer `false` and change nothing if there
    /// is no such account, or if the session that asks does not live at commit; nobody asks for an operator.
    async fn delete(
        &self,
        user: UserId,
        asking: Option<SessionId>,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Answers once the store can be used.
    async fn ping(&self) -> Result<(), StoreError>;
}
