//! A session as the user database knows it: the durable facts. What rotates lives in [`crate::rotation`].

use super::{DeviceId, Epoch, Label, SessionId, Timestamp, User, UserId};
use std::net::IpAddr;

/// Where a request came from, as far as the server can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// What the client calls itself (the `User-Agent` header), cut to a label.
    pub user_agent: Option<Label>,
}

/// Why a session ended. The name is what the stores keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// Its user signed it out, here, from another session, or everywhere.
    SignedOut,
    /// Its device signed in again.
    Replaced,
    /// The user had too many sessions and this was the least recently refreshed.
    Evicted,
    /// A refresh token of it was used again: theft or fork.
    Reused,
    /// The password was changed from another session.
    PasswordChanged,
    /// The account was deleted.
    AccountDeleted,
    /// An operator disabled the account.
    AccountDisabled,
    /// It was not refreshed in time.
    Expired,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::SignedOut,
        Self::Replaced,
        Self::Evicted,
        Self::Reused,
        Self::PasswordChanged,
        Self::AccountDeleted,
        Self::AccountDisabled,
        Self::Expired,
    ];

    /// The name that stores and events use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Replaced => "replaced",
            Self::Evicted => "evicted",
            Self::Reused => "reused",
            Self::PasswordChanged => "password_changed",
            Self::AccountDeleted => "account_deleted",
            Self::AccountDisabled => "account_disabled",
            Self::Expired => "expired",
        }
    }

    /// The reason with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// One sign-in on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id (the `sid` claim).
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The device that signed in.
    pub device: DeviceId,
    /// What the user calls that device.
    pub device_name: Option<Label>,
    /// Who signed in, from where.
    pub client: ClientInfo,
    /// The user's epoch when the password hash was read.
    pub epoch: Epoch,
    /// When the password was shown (the `auth_time` claim), in whole seconds.
    pub began_at: Timestamp,
    /// The absolute end: no token of the session lives longer.
    pub ends_at: Timestamp,
    /// Since when the device credential is demanded.
    pub bound_at: Option<Timestamp>,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
}

/// Whether a session's tokens are worth anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lives.
    Live,
    /// It was ended, for a reason that its row names.
    Ended(EndReason),
    /// It began under an older epoch than the user's: all such sessions were ended together.
    Superseded,
    /// It reached its absolute end.
    Expired,
    /// An operator disabled the account.
    Disabled,
    /// The account is gone.
    AccountGone,
}

/// A session's row together with its user's, read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session.
    pub session: Session,
    /// Its user; `None` once the account is gone.
    pub user: Option<User>,
}

impl Session {
    /// Whether the session survived every raise of its user's epoch.
    pub fn survives(&self, user: &User) -> bool {
        self.epoch >= user.epoch || user.kept_session == Some(self.id)
    }
}

impl SessionRecord {
    /// What the two rows say about the session at `now`. A named ending tells more than the rest and comes first.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if let Some(ending) = self.session.ending {
            return Standing::Ended(ending.reason);
        }
        let Some(user) = &self.user else {
            return Standing::AccountGone;
        };
        if user.disabled_at.is_some() {
            Standing::Disabled
        } else if !self.session.survives(user) {
            Standing::Superseded
        } else if now >= self.session.ends_at {
            Standing::Expired
        } else {
            Standing::Live
        }
    }
}
