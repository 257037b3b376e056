//! Accounts for operators: lists, and what disables and enables them.

use super::StoreError;
use crate::{
    journal::Tell,
    model::{Credentials, EmailAddress, Epoch, Session, Timestamp, User, UserId},
};
use async_trait::async_trait;

/// Which accounts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// Only addresses after this one; `None`: from the first one on.
    pub after: Option<EmailAddress>,
    /// Only addresses that begin with this text, in the form of keys; empty: all.
    pub prefix: String,
    /// Only accounts that are disabled.
    pub disabled: bool,
    /// How many at most; at least 1.
    pub limit: u32,
}

impl AccountQuery {
    /// An upper bound of the addresses with the prefix: stores compare bytes, and no character is greater than this one.
    pub fn end_of_prefix(&self) -> String {
        format!("{}\u{10ffff}", self.prefix)
    }
}

/// The outcome of [`AccountDirectory::disable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisableOutcome {
    /// It is disabled now, all of its sessions have ended, and this is its new epoch.
    Disabled(Epoch),
    /// It had been disabled before; that time stays. All of its sessions have ended, and this is its new epoch.
    AlreadyDisabled(Epoch),
    /// There is no such account.
    NotFound,
}

/// The outcome of [`AccountDirectory::enable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnableOutcome {
    /// It is enabled.
    Enabled,
    /// It was not disabled. Nothing changed.
    NotDisabled,
    /// There is no such account.
    NotFound,
}

/// Lists, disables and enables accounts, for operators only.
///
/// The same guarantees as [`super::UserRepository`], over the same accounts.
///
/// The contract suite is `revolve_testkit::contract::directory`.
#[async_trait]
pub trait AccountDirectory: Send + Sync {
    /// The first accounts that the query asks for, by the key of the address in ascending order of bytes. MUST take time in proportion to its
    /// answer, however many accounts there are; `after` need not be an account's address.
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError>;

    /// Up to `limit` accounts with their hashes whose id is greater than `after`, by id in ascending order of bytes;
    /// `known_device` is `None`. Ids never change: a reader of all pages MUST get each account that exists throughout exactly once.
    async fn walk(&self, after: Option<UserId>, limit: u32)
    -> Result<Vec<Credentials>, StoreError>;

    /// Every row of the user's sessions, ended ones and those of a deleted account included, the newest first.
    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Disables the account, ends all of its sessions with [`crate::model::EndReason::AccountDisabled`] and raises the epoch, in one
    /// commit. An account that is disabled already MUST keep its time; its sessions end and the epoch rises all the same.
    async fn disable(
        &self,
        user: UserId,
        at: Timestamp,
        tell: &Tell<DisableOutcome>,
    ) -> Result<DisableOutcome, StoreError>;

    /// Enables the account again. Its ended sessions MUST stay ended.
    async fn enable(
        &self,
        user: UserId,
        tell: &Tell<EnableOutcome>,
    ) -> Result<EnableOutcome, StoreError>;
}
