//! What happened that a person should be able to see later.

use crate::{
    limits::LimitName,
    model::{EndReason, Generation, SessionId, UserId},
};
use std::{net::IpAddr, time::Duration};

/// A security event. It never contains a password, a token, a credential or an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// An account was made.
    AccountCreated {
        /// Whose.
        user: UserId,
        /// From where.
        address: Option<IpAddr>,
    },
    /// A session began.
    SessionBegun {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// From where.
        address: Option<IpAddr>,
    },
    /// A sign-in was refused. The account is named if there is one.
    SignInRefused {
        /// Whose, if known.
        user: Option<UserId>,
        /// From where.
        address: Option<IpAddr>,
    },
    /// A session ended.
    SessionEnded {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// Every session of a user ended, but perhaps one.
    SessionsEnded {
        /// Whose.
        user: UserId,
        /// The one that goes on.
        kept: Option<SessionId>,
        /// Why.
        reason: EndReason,
    },
    /// A refresh token was used again that was no longer its client's to use: theft or fork.
    SessionReused {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// The generation that was presented.
        presented: Generation,
        /// The generation that was alive.
        live: Generation,
        /// How long the live generation had existed.
        gap: Duration,
        /// Where the session was begun.
        session_address: Option<IpAddr>,
        /// Where the token was presented.
        address: Option<IpAddr>,
        /// Whether the session was ended for it.
        revoked: bool,
    },
    /// The white list had lost acknowledged rotations and was corrected by a signed token.
    SessionHealed {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// The generation that was presented.
        presented: Generation,
        /// The generation that the store still had.
        lost: Generation,
    },
    /// An answer was fetched again.
    SessionRepeated {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// How long the successor had existed.
        gap: Duration,
        /// Whether it came after the free window.
        late: bool,
    },
    /// A session was bound to its device.
    SessionBound {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
    },
    /// A token was presented without its device's credential, or with a foreign or forged one.
    DeviceMismatch {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// From where.
        address: Option<IpAddr>,
    },
    /// A limit was reached: told once per bucket and window, however much is refused.
    LimitReached {
        /// Which limit.
        limit: LimitName,
        /// Whose account, where a device or a session of its own was the one that reached it.
        user: Option<UserId>,
        /// From where the first refused request came.
        address: Option<IpAddr>,
    },
    /// A password was changed.
    PasswordChanged {
        /// Whose.
        user: UserId,
        /// From which session.
        session: SessionId,
    },
    /// The address to sign in with was changed.
    EmailChanged {
        /// Whose.
        user: UserId,
    },
    /// An account was deleted.
    AccountDeleted {
        /// Whose.
        user: UserId,
    },
    /// An operator disabled an account.
    AccountDisabled {
        /// Whose.
        user: UserId,
    },
    /// An operator let a disabled account be used again.
    AccountEnabled {
        /// Whose.
        user: UserId,
    },
}

impl SecurityEvent {
    /// The stable name, such as `session.reused`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AccountCreated { .. } => "account.created",
            Self::SessionBegun { .. } => "session.begun",
            Self::SignInRefused { .. } => "sign_in.refused",
            Self::SessionEnded { reason, .. } => match reason {
                EndReason::SignedOut => "session.signed_out",
                EndReason::Replaced => "session.replaced",
                EndReason::Evicted => "session.evicted",
                _ => "session.ended",
            },
            Self::SessionsEnded { .. } => "sessions.ended",
            Self::SessionReused { .. } => "session.reused",
            Self::SessionHealed { .. } => "session.healed",
            Self::SessionRepeated { .. } => "session.repeated",
            Self::SessionBound { .. } => "session.bound",
            Self::DeviceMismatch { .. } => "device.mismatch",
            Self::LimitReached { .. } => "limit.reached",
            Self::PasswordChanged { .. } => "password.changed",
            Self::EmailChanged { .. } => "email.changed",
            Self::AccountDeleted { .. } => "account.deleted",
            Self::AccountDisabled { .. } => "account.disabled",
            Self::AccountEnabled { .. } => "account.enabled",
        }
    }
}

/// Receives security events.
pub trait SecurityEvents: Send + Sync {
    /// Records an event. MUST NOT block and MUST NOT fail the caller.
    fn record(&self, event: SecurityEvent);
}
