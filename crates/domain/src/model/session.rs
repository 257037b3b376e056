//! The durable facts of a session, as in the user database. The rotating token is in [`crate::rotation`].

use super::{AuthMethods, DeviceId, Epoch, Label, SessionId, Timestamp, User, UserId};
use std::net::IpAddr;

/// The client that sent a request, as far as the server can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The IP address.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header, cut to a label.
    pub user_agent: Option<Label>,
    /// The front end, where it is a page in a browser. Each origin has its own session on a device; clients without one
    /// share one.
    pub origin: Option<WebOrigin>,
}

/// The value of an `Origin` header (RFC 6454 §7.1), as it was sent: `https://app.example.org` or `null`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// The greatest number of bytes. A host name has 253 at most (RFC 1035 §2.3.4).
    pub const MAX: usize = 512;

    /// `None` if it is empty, too long, or not all visible ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let is_origin = !text.is_empty()
            && text.len() <= Self::MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_origin.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a session ended. Stores keep the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// A sign-out: from this session, from another one, or everywhere.
    SignedOut,
    /// A new sign-in of the same client on the same device.
    Replaced,
    /// The user had too many sessions and this was the least recently refreshed.
    Evicted,
    /// A refresh token was reused: theft, or a client restored from a backup.
    Reused,
    /// The password was changed from another session.
    PasswordChanged,
    /// The account was deleted.
    AccountDeleted,
    /// An operator disabled the account.
    AccountDisabled,
    /// It was not refreshed in time.
    Expired,
    /// The password was reset by a proof of the mailbox.
    Recovered,
    /// An operator has reset the factors of the account.
    FactorsReset,
    /// The account's first factor was set up in another session.
    FactorAdded,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::SignedOut,
        Self::Replaced,
        Self::Evicted,
        Self::Reused,
        Self::PasswordChanged,
        Self::AccountDeleted,
        Self::AccountDisabled,
        Self::Expired,
        Self::Recovered,
        Self::FactorsReset,
        Self::FactorAdded,
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
            Self::Recovered => "recovered",
            Self::FactorsReset => "factors_reset",
            Self::FactorAdded => "factor_added",
        }
    }

    /// The reason with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The end of a session.
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
    /// The account.
    pub user: UserId,
    /// The device that signed in; once the session is bound, the one that it is bound to.
    pub device: DeviceId,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The client that signed in.
    pub client: ClientInfo,
    /// The user's epoch when the password hash was read.
    pub epoch: Epoch,
    /// The time of the sign-in (the `auth_time` claim), in whole seconds.
    pub began_at: Timestamp,
    /// How the user signed in (the `amr` claim).
    pub authenticated_by: AuthMethods,
    /// The absolute end: no token of the session lives longer.
    pub ends_at: Timestamp,
    /// When the session was bound: from then on it needs the device's credential.
    pub bound_at: Option<Timestamp>,
    /// `None` while the session has not been ended.
    pub ending: Option<Ending>,
}

/// Whether a session is live, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its tokens are valid.
    Live,
    /// It was ended for the reason in its row.
    Ended(EndReason),
    /// It began under an older epoch than the user's: all such sessions were ended together.
    Superseded,
    /// It reached its absolute end.
    Expired,
    /// An operator disabled the account.
    Disabled,
    /// The account was deleted.
    AccountGone,
}

/// A session's row together with its user's, read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session.
    pub session: Session,
    /// Its user; `None` if the account was deleted.
    pub user: Option<User>,
}

impl Session {
    /// What its user knows the device by: the name that the user gave it, otherwise what the client calls itself.
    pub fn device_label(&self) -> Option<&Label> {
        self.device_name
            .as_ref()
            .or(self.client.user_agent.as_ref())
    }

    /// Whether the session survived every raise of its user's epoch.
    pub fn survives(&self, user: &User) -> bool {
        self.epoch >= user.epoch || user.kept_session == Some(self.id)
    }
}

impl SessionRecord {
    /// The standing of the session at `now`. An ending in the session's row comes first, since it has the most precise reason.
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
