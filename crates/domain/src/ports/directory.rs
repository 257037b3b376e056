//! Accounts as operators see them: one after the other, and the ones that may not be used.

use super::StoreError;
use crate::model::{Credentials, EmailAddress, Epoch, Session, Timestamp, User, UserId};
use async_trait::async_trait;

/// Which accounts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// Only addresses after this one; `None`: from the first one on.
    pub after: Option<EmailAddress>,
    /// Only addresses that begin with this text, in the normal form of addresses; empty: all.
    pub prefix: String,
    /// Only accounts that are disabled.
    pub disabled: bool,
    /// How many at most; at least 1.
    pub limit: u32,
}

impl AccountQuery {
    /// The greatest text that an address with the prefix can be: stores compare bytes, and no character comes after this one.
    pub fn end_of_prefix(&self) -> String {
        format!("{}\u{10ffff}", self.prefix)
    }
}

/// How disabling an account came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisableOutcome {
    /// It can't be used any more, all of its sessions are over, and this is its new epoch.
    Disabled(Epoch),
    /// It was disabled already, and stays so since then. All of its sessions are over, and this is its new epoch.
    AlreadyDisabled(Epoch),
    /// There is no such account.
    NotFound,
}

/// How enabling an account came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnableOutcome {
    /// Its user can sign in again.
    Enabled,
    /// It was not disabled. Nothing changed.
    NotDisabled,
    /// There is no such account.
    NotFound,
}

/// Lists, disables and enables accounts: what operators need and no client may ask for.
///
/// The same promises as [`super::UserRepository`], over the same accounts.
///
/// The contract suite is `revolve_testkit::contract::directory`.
#[async_trait]
pub trait AccountDirectory: Send + Sync {
    /// The first accounts that the query asks for, by address in ascending order of bytes. MUST take time in proportion to what it
    /// answers, however many accounts there are, so that a long list is read page by page; `after` need not be an account's.
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError>;

    /// Up to `limit` accounts with their hashes whose id is greater than `after`, by id in ascending order of bytes; they know no
    /// device. Ids never change: whoever reads page by page MUST get each account that is there all the while exactly once.
    async fn walk(&self, after: Option<UserId>, limit: u32)
    -> Result<Vec<Credentials>, StoreError>;

    /// Every row of the user's sessions, ended ones and those of an account that is gone included, the newest first.
    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Disables the account, ends all of its sessions with [`crate::model::EndReason::AccountDisabled`] and raises the epoch, in one
    /// commit. An account that is disabled already MUST keep the time since when it is; its sessions end and the epoch rises all the
    /// same.
    async fn disable(&self, user: UserId, at: Timestamp) -> Result<DisableOutcome, StoreError>;

    /// Lets the account be used again. Sessions that have ended MUST stay so.
    async fn enable(&self, user: UserId) -> Result<EnableOutcome, StoreError>;
}
