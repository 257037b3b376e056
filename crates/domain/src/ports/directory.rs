//! Accounts for operators: lists, and what changes, disables and enables them.

use super::StoreError;
use crate::{
    journal::Tell,
    model::{
        AccountChange, AccountVersion, Credentials, EmailAddress, Epoch, Role, Session, Timestamp,
        User, UserId,
    },
};
use async_trait::async_trait;

/// Which accounts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// Only addresses after this one; `None`: from the first one on.
    pub after: Option<EmailAddress>,
    /// Only addresses that begin with this text, in the form of keys; empty: all.
    pub prefix: String,
    /// Only accounts with this role.
    pub role: Option<Role>,
    /// Only accounts that are disabled, or only those that are not.
    pub disabled: Option<bool>,
    /// Only accounts whose address is verified, or only those whose is not.
    pub verified: Option<bool>,
    /// How many at most; 1 to 1,000.
    pub limit: u32,
}

impl AccountQuery {
    /// The states that accounts are listed by: whether one is disabled, and whether its address is verified.
    pub const STATES: [(bool, bool); 4] =
        [(false, false), (true, false), (false, true), (true, true)];

    /// The keys of the addresses: from the first text on, and less than the second. Stores compare bytes.
    pub fn range(&self) -> (String, String) {
        // No address has a control character: nothing is between an address and this.
        let after = self.after.as_ref();
        let after = after.map_or_else(String::new, |after| format!("{}\u{1}", after.key()));
        // No character is greater than this one.
        let end = format!("{}\u{10ffff}", self.prefix);
        (after.max(self.prefix.clone()), end)
    }

    /// Which of the [states](Self::STATES) are asked for.
    pub fn states(&self) -> [bool; 4] {
        Self::STATES.map(|(disabled, verified)| {
            self.disabled.is_none_or(|asked| asked == disabled)
                && self.verified.is_none_or(|asked| asked == verified)
        })
    }

    /// Whether it asks for this account.
    pub fn admits(&self, user: &User) -> bool {
        let (from, end) = self.range();
        let key = user.email.key();
        let is_disabled = user.disabled_at.is_some();
        let is_verified = user.email_verified_at.is_some();
        from.as_str() <= key
            && key < end.as_str()
            && self
                .role
                .as_ref()
                .is_none_or(|role| user.roles.contains(role))
            && self.disabled.is_none_or(|asked| asked == is_disabled)
            && self.verified.is_none_or(|asked| asked == is_verified)
    }
}

/// A change of an account by an operator.
#[derive(Clone, Debug)]
pub struct OperatorChange {
    /// The account.
    pub user: UserId,
    /// What changes.
    pub change: AccountChange,
    /// The version that the account must have; `None` for any.
    pub expected: Option<AccountVersion>,
    /// The time of the change.
    pub at: Timestamp,
}

impl OperatorChange {
    /// What the change makes of the account, if nobody else has its address.
    pub fn of(&self, before: User) -> ChangeOutcome {
        let expected = self.expected.unwrap_or(before.version);
        if before.version != expected {
            return ChangeOutcome::VersionMismatch(before.version);
        }
        let after = self.change.clone().apply(before.clone(), self.at);
        let is_same = before.email.as_str() == after.email.as_str()
            && before
                == User {
                    version: before.version,
                    ..after.clone()
                };
        if is_same {
            ChangeOutcome::Unchanged(before)
        } else {
            ChangeOutcome::Changed { before, after }
        }
    }
}

/// The outcome of [`AccountDirectory::change`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and mostly the largest"
)]
pub enum ChangeOutcome {
    /// It is committed.
    Changed {
        /// The account before.
        before: User,
        /// The account now.
        after: User,
    },
    /// The account is as the change wants it. Nothing changed, its version neither.
    Unchanged(User),
    /// The e-mail address becomes another one that is [taken](super::UserRepository). Nothing changed.
    EmailTaken,
    /// The account has this version. Nothing changed.
    VersionMismatch(AccountVersion),
    /// There is no such account.
    NotFound,
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

/// Lists, changes, disables and enables accounts, for operators only.
///
/// The same guarantees as [`super::UserRepository`], over the same accounts.
///
/// The contract suite is `revolve_testkit::contract::directory`.
#[async_trait]
pub trait AccountDirectory: Send + Sync {
    /// The first accounts that the query asks for, by the key of the address in ascending order of bytes. MUST take time in proportion to its
    /// answer, however many accounts there are, and however few of them it asks for; `after` need not be an account's address.
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError>;

    /// Up to `limit` accounts with their hashes whose id is greater than `after`, by id in ascending order of bytes;
    /// `known_device` is `None`. Ids never change: a reader of all pages MUST get each account that exists throughout exactly once.
    async fn walk(&self, after: Option<UserId>, limit: u32)
    -> Result<Vec<Credentials>, StoreError>;

    /// Every row of the user's sessions, ended ones and those of a deleted account included, the newest first.
    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Changes the account to what [`OperatorChange::of`] says of it at commit. MUST change nothing unless it has the version that is expected,
    /// if any: of several such calls at once one succeeds. If that [outdates](User::outdates) the account, every
    /// later [`revoked`](super::SessionRepository::revoked) MUST say so, in the same commit. Another address MUST void the account's proofs that
    /// undo an earlier change of it, in the same commit.
    async fn change(
        &self,
        change: &OperatorChange,
        tell: &Tell<ChangeOutcome>,
    ) -> Result<ChangeOutcome, StoreError>;

    /// Disables the account, ends all of its sessions with [`crate::model::EndReason::AccountDisabled`] and raises the epoch, in one
    /// commit; that raises the version, too. An account that is disabled already MUST keep its time and version; its sessions end and the
    /// epoch rises all the same.
    async fn disable(
        &self,
        user: UserId,
        at: Timestamp,
        tell: &Tell<DisableOutcome>,
    ) -> Result<DisableOutcome, StoreError>;

    /// Enables the account again, which raises its version. Its ended sessions MUST stay ended.
    async fn enable(
        &self,
        user: UserId,
        tell: &Tell<EnableOutcome>,
    ) -> Result<EnableOutcome, StoreError>;
}
