//! Security events, for those who watch the service.

use crate::{
    journal::MailKind,
    limits::LimitName,
    model::{DeliveryId, EndReason, Generation, SessionId, UserId},
};
use std::{net::IpAddr, time::Duration};

/// How much attention an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It happens every day.
    Info,
    /// It may be an attack.
    Warning,
}

/// Declares [`SecurityEvent`] from a table: each event with its stable name, its severity and its fields.
macro_rules! security_events {
    ($($(#[$doc:meta])* $event:ident $name:literal $severity:ident { $($field:ident: $type:ty,)+ })+) => {
        /// A security event. It never contains a password, a token, a credential or an e-mail address.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the fields are described once, in `EventFields`")]
        pub enum SecurityEvent {
            $($(#[$doc])* $event { $($field: $type,)+ },)+
        }

        impl SecurityEvent {
            const fn table_name(&self) -> &'static str {
                match self {
                    $(Self::$event { .. } => $name,)+
                }
            }

            /// How much attention the event asks for.
            pub const fn severity(&self) -> Severity {
                match self {
                    $(Self::$event { .. } => Severity::$severity,)+
                }
            }

            /// The fields of the event, by name.
            pub fn fields(&self) -> EventFields {
                match self {
                    $(Self::$event { $($field,)+ } => EventFields {
                        $($field: (*$field).into(),)+
                        ..EventFields::default()
                    },)+
                }
            }
        }
    };
}

security_events! {
    /// An account was created.
    AccountCreated "account.created" Info { user: UserId, address: Option<IpAddr>, }
    /// A session began.
    SessionBegun "session.begun" Info { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// A sign-in was refused. The user is known if there is such an account.
    SignInRefused "sign_in.refused" Info { user: Option<UserId>, address: Option<IpAddr>, }
    /// A session ended. The name depends on the reason.
    SessionEnded "session.ended" Info { user: UserId, session: SessionId, reason: EndReason, }
    /// Every session of a user ended, but for the one that is kept, if any.
    SessionsEnded "sessions.ended" Info { user: UserId, kept: Option<SessionId>, reason: EndReason, }
    /// A refresh token was used again outside of the retry windows: theft, or a client that was restored from a backup. Or `presented` is
    /// `live` or the one before and the token is another one: the white list had lost rotations, and a chain has forked.
    SessionReused "session.reused" Warning {
        user: UserId,
        session: SessionId,
        presented: Generation,
        live: Generation,
        gap: Duration,
        session_address: Option<IpAddr>,
        address: Option<IpAddr>,
        revoked: bool,
    }
    /// The white list had lost acknowledged rotations and was corrected by a signed token.
    SessionHealed "session.healed" Warning { user: UserId, session: SessionId, presented: Generation, lost: Generation, }
    /// A retry got the successor that exists already.
    SessionRepeated "session.repeated" Info { user: UserId, session: SessionId, gap: Duration, late: bool, }
    /// A session was bound to its device.
    SessionBound "session.bound" Info { user: UserId, session: SessionId, }
    /// A session's user has shown the password again.
    SessionReauthenticated "session.reauthenticated" Info { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// A token was presented without its device's credential, or with a foreign or forged one.
    DeviceMismatch "device.mismatch" Warning { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// A limit was reached: reported once per bucket and window, however much is refused. The user is known where a device or a
    /// session of the account reached it.
    LimitReached "limit.reached" Warning { limit: LimitName, user: Option<UserId>, address: Option<IpAddr>, }
    /// A password was changed.
    PasswordChanged "password.changed" Info { user: UserId, session: SessionId, }
    /// The address to sign in with was changed.
    EmailChanged "email.changed" Info { user: UserId, }
    /// A sign-up was asked for whose mailbox has to be proved. The user is known if the address is taken.
    SignUpRequested "sign_up.requested" Info { user: Option<UserId>, address: Option<IpAddr>, }
    /// A mail to reset a password was asked for. The user is known if there is such an account.
    RecoveryRequested "recovery.requested" Info { user: Option<UserId>, address: Option<IpAddr>, }
    /// The password was reset by a proof of the mailbox.
    AccountRecovered "account.recovered" Warning { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// A wrong code was entered.
    ProofRefused "proof.refused" Info { user: Option<UserId>, address: Option<IpAddr>, }
    /// A mail to verify an address was asked for.
    VerificationRequested "verification.requested" Info { user: UserId, address: Option<IpAddr>, }
    /// The address was verified by a proof of the mailbox.
    EmailVerified "email.verified" Info { user: UserId, address: Option<IpAddr>, }
    /// An account was deleted.
    AccountDeleted "account.deleted" Info { user: UserId, }
    /// An operator disabled an account.
    AccountDisabled "account.disabled" Info { user: UserId, }
    /// An operator enabled an account again.
    AccountEnabled "account.enabled" Info { user: UserId, }
    /// A mail was refused for good, or not taken in time.
    MailGivenUp "mail.given_up" Warning { user: Option<UserId>, delivery: DeliveryId, mail: MailKind, }
}

/// The fields of any event; those that an event does not have are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFields {
    /// The account.
    pub user: Option<UserId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The session that continues where all others end.
    pub kept: Option<SessionId>,
    /// Why a session ended.
    pub reason: Option<EndReason>,
    /// The limit that was reached.
    pub limit: Option<LimitName>,
    /// The generation of the token that was presented.
    pub presented: Option<Generation>,
    /// The live generation.
    pub live: Option<Generation>,
    /// The generation that the white list still had.
    pub lost: Option<Generation>,
    /// How long the live generation had existed.
    pub gap: Option<Duration>,
    /// Whether a retry came after the free window.
    pub late: Option<bool>,
    /// The address that the session began from.
    pub session_address: Option<IpAddr>,
    /// The address of the client that sent the request; of the first refused one for a limit.
    pub address: Option<IpAddr>,
    /// Whether the session was ended for it.
    pub revoked: Option<bool>,
    /// The mail that was not sent.
    pub delivery: Option<DeliveryId>,
    /// What that mail was for.
    pub mail: Option<MailKind>,
}

impl SecurityEvent {
    /// The stable name, such as `session.reused`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SessionEnded { reason, .. } => match reason {
                EndReason::SignedOut => "session.signed_out",
                EndReason::Replaced => "session.replaced",
                EndReason::Evicted => "session.evicted",
                _ => self.table_name(),
            },
            _ => self.table_name(),
        }
    }
}

/// Receives security events.
pub trait SecurityEvents: Send + Sync {
    /// Records an event. MUST NOT block and MUST NOT fail the caller.
    fn record(&self, event: SecurityEvent);
}
