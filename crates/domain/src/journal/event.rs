//! What happens to accounts, sessions and keys: for the journal, and for those who watch the service.

use super::{ChangedFields, JournalRecord, MailKind};
use crate::{
    keys::KeyId,
    limits::LimitName,
    model::{
        ApiKeyId, DeliveryId, DisabledReason, EndReason, FactorKind, Generation, Label, SessionId,
        UserId, WebhookId,
    },
};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// How much attention an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It happens every day.
    Info,
    /// It may be an attack.
    Warning,
}

/// How an event comes into the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journaled {
    /// In the commit of the change that it tells, or of its own before it is answered.
    WithChange,
    /// Later and on its own, since it changes no row.
    Noted,
    /// Not at all: it is part of a refresh, which writes nothing.
    Never,
}

/// Declares [`SecurityEvent`] from a table: each event with its stable name, its severity, how it comes into the journal, and its fields.
macro_rules! security_events {
    ($($(#[$doc:meta])* $event:ident $name:literal $severity:ident $journaled:ident { $($field:ident: $type:ty,)+ })+) => {
        /// A security event. It never contains a password, a token, a credential or an e-mail address.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the fields are described once, in `EventFields`")]
        pub enum SecurityEvent {
            $($(#[$doc])* $event { $($field: $type,)+ },)+
        }

        impl SecurityEvent {
            const TABLE: &'static [(&'static str, Journaled)] = &[$(($name, Journaled::$journaled),)+];

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

            const fn table_journaled(&self) -> Journaled {
                match self {
                    $(Self::$event { .. } => Journaled::$journaled,)+
                }
            }

            /// The fields of the event, by name.
            pub fn fields(&self) -> EventFields {
                match self {
                    $(Self::$event { $($field,)+ } => EventFields {
                        $($field: Clone::clone($field).into(),)+
                        ..EventFields::default()
                    },)+
                }
            }
        }
    };
}

security_events! {
    /// An account was created; by a sign-up with its first session.
    AccountCreated "account.created" Info WithChange {
        user: UserId,
        session: Option<SessionId>,
        address: Option<IpAddr>,
        device: Option<Label>,
    }
    /// An operator imported an account.
    AccountImported "account.imported" Info WithChange { user: UserId, }
    /// A session began.
    SessionBegun "session.begun" Info WithChange {
        user: UserId,
        session: SessionId,
        address: Option<IpAddr>,
        device: Option<Label>,
    }
    /// A sign-in was refused. The user is known if there is such an account.
    SignInRefused "sign_in.refused" Info Noted { user: Option<UserId>, address: Option<IpAddr>, }
    /// A session ended. The name depends on the reason.
    SessionEnded "session.ended" Info WithChange { user: UserId, session: SessionId, reason: EndReason, }
    /// Every session of a user ended, but for the one that is kept, if any.
    SessionsEnded "sessions.ended" Info WithChange { user: UserId, kept: Option<SessionId>, reason: EndReason, }
    /// A refresh token was used again outside of the retry windows: theft, or a client that was restored from a backup. Or `presented` is
    /// `live` or the one before and the token is another one: the white list had lost rotations, and a chain has forked. It is told with
    /// the end of the session, and noted if it ends none.
    SessionReused "session.reused" Warning WithChange {
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
    SessionHealed "session.healed" Warning Never { user: UserId, session: SessionId, presented: Generation, lost: Generation, }
    /// A retry got the successor that exists already.
    SessionRepeated "session.repeated" Info Never { user: UserId, session: SessionId, gap: Duration, late: bool, }
    /// A session was bound to its device.
    SessionBound "session.bound" Info WithChange { user: UserId, session: SessionId, }
    /// A session's user has shown the password again.
    SessionReauthenticated "session.reauthenticated" Info Noted { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// A token was presented without its device's credential, or with a foreign or forged one.
    DeviceMismatch "device.mismatch" Warning Noted { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// A limit was reached: reported once per bucket and window, however much is refused. The user is known where a device or a
    /// session of the account reached it.
    LimitReached "limit.reached" Warning Noted { limit: LimitName, user: Option<UserId>, address: Option<IpAddr>, }
    /// A password was changed.
    PasswordChanged "password.changed" Info WithChange { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// The address to sign in with was changed.
    EmailChanged "email.changed" Info WithChange { user: UserId, session: Option<SessionId>, address: Option<IpAddr>, }
    /// Details of an account were changed, or by an operator what else it shows.
    AccountChanged "account.changed" Info WithChange {
        user: UserId,
        session: Option<SessionId>,
        address: Option<IpAddr>,
        changed: ChangedFields,
    }
    /// A mail to a new address was asked for.
    EmailChangeRequested "email.change_requested" Info WithChange {
        user: UserId,
        session: SessionId,
        address: Option<IpAddr>,
    }
    /// A sign-up was asked for whose mailbox has to be proved. The user is known if the address is taken.
    SignUpRequested "sign_up.requested" Info WithChange { user: Option<UserId>, address: Option<IpAddr>, }
    /// A mail to sign in by a code was asked for. The user is known if there is such an account.
    SignInRequested "sign_in.requested" Info WithChange { user: Option<UserId>, address: Option<IpAddr>, }
    /// A mail to reset a password was asked for. The user is known if there is such an account.
    RecoveryRequested "recovery.requested" Info WithChange { user: Option<UserId>, address: Option<IpAddr>, }
    /// The password was reset by a proof of the mailbox. Where a second step follows, no session has begun.
    AccountRecovered "account.recovered" Warning WithChange {
        user: UserId,
        session: Option<SessionId>,
        address: Option<IpAddr>,
    }
    /// A wrong code was entered.
    ProofRefused "proof.refused" Info Noted { user: Option<UserId>, address: Option<IpAddr>, }
    /// What was proved first leads to a second step.
    FactorRequested "factor.requested" Info WithChange { user: UserId, address: Option<IpAddr>, }
    /// A wrong code was entered, or a passkey that does not count was shown, after what was proved first or in a session.
    FactorRefused "factor.refused" Info Noted { user: Option<UserId>, session: Option<SessionId>, address: Option<IpAddr>, }
    /// A factor counts from now on.
    FactorAdded "factor.added" Info WithChange { user: UserId, session: Option<SessionId>, address: Option<IpAddr>, factor: FactorKind, }
    /// A passkey has another name.
    FactorRenamed "factor.renamed" Info WithChange { user: UserId, session: SessionId, address: Option<IpAddr>, factor: FactorKind, }
    /// A factor was removed by its user.
    FactorRemoved "factor.removed" Info WithChange { user: UserId, session: SessionId, address: Option<IpAddr>, factor: FactorKind, }
    /// An authenticator app was set up and waits for its first code.
    TotpSetUp "totp.set_up" Info WithChange { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// Recovery codes were made; earlier ones count no more.
    RecoveryCodesMade "recovery_codes.made" Info WithChange { user: UserId, session: Option<SessionId>, address: Option<IpAddr>, }
    /// A recovery code was used.
    RecoveryCodeUsed "recovery_code.used" Warning WithChange { user: UserId, address: Option<IpAddr>, left: u32, }
    /// The signature counter of a passkey did not grow: there may be a copy of it.
    PasskeyCounterBack "passkey.counter_back" Warning WithChange { user: UserId, address: Option<IpAddr>, }
    /// An operator has ordered a reset of all factors of an account.
    FactorResetOrdered "factor_reset.ordered" Warning WithChange { user: UserId, note: Option<Label>, }
    /// The owner of the account has stopped it.
    FactorResetStopped "factor_reset.stopped" Warning WithChange { user: UserId, session: Option<SessionId>, address: Option<IpAddr>, }
    /// All factors of an account were reset.
    FactorsReset "factors.reset" Warning WithChange { user: UserId, note: Option<Label>, }
    /// A mail to verify an address was asked for.
    VerificationRequested "verification.requested" Info WithChange { user: UserId, address: Option<IpAddr>, }
    /// The address was verified by a proof of the mailbox.
    EmailVerified "email.verified" Info WithChange { user: UserId, address: Option<IpAddr>, }
    /// An operator has invited the owner of a new account by mail.
    AccountInvited "account.invited" Info WithChange { user: UserId, }
    /// An operator was given a link that sets the password of an account.
    RecoveryLinkIssued "recovery_link.issued" Info WithChange { user: UserId, }
    /// All that is stored about an account was asked for by its user. It changes no row, and is written down before it is answered.
    AccountExported "account.exported" Info WithChange { user: UserId, session: SessionId, address: Option<IpAddr>, }
    /// An account was deleted.
    AccountDeleted "account.deleted" Info WithChange { user: UserId, }
    /// An operator disabled an account.
    AccountDisabled "account.disabled" Info WithChange { user: UserId, }
    /// An operator enabled an account again.
    AccountEnabled "account.enabled" Info WithChange { user: UserId, }
    /// A mail was refused for good, or not taken in time.
    MailGivenUp "mail.given_up" Warning WithChange { user: Option<UserId>, delivery: DeliveryId, mail: MailKind, }
    /// An operator has a mail sent anew.
    MailRetried "mail.retried" Info WithChange { delivery: DeliveryId, }
    /// A key for signing was added.
    KeyAdded "key.added" Info WithChange { key: KeyId, }
    /// A key signs from now on.
    KeyPromoted "key.promoted" Info WithChange { key: KeyId, }
    /// A key signs no more; what it signed is still verified.
    KeyRetired "key.retired" Info WithChange { key: KeyId, }
    /// A key was deleted.
    KeyRemoved "key.removed" Info WithChange { key: KeyId, }
    /// A key was sealed under another master key.
    KeyResealed "key.resealed" Info WithChange { key: KeyId, }
    /// An API key was made.
    ApiKeyCreated "api_key.created" Info WithChange { api_key: ApiKeyId, }
    /// An API key was revoked.
    ApiKeyRevoked "api_key.revoked" Info WithChange { api_key: ApiKeyId, }
    /// A webhook was made.
    WebhookCreated "webhook.created" Info WithChange { webhook: WebhookId, }
    /// A webhook was changed.
    WebhookChanged "webhook.changed" Info WithChange { webhook: WebhookId, }
    /// A webhook has a new secret.
    WebhookRotated "webhook.rotated" Info WithChange { webhook: WebhookId, }
    /// A webhook was enabled again.
    WebhookEnabled "webhook.enabled" Info WithChange { webhook: WebhookId, }
    /// A webhook was switched off.
    WebhookDisabled "webhook.disabled" Warning WithChange { webhook: WebhookId, cause: DisabledReason, }
    /// A webhook was deleted.
    WebhookDeleted "webhook.deleted" Info WithChange { webhook: WebhookId, }
    /// This event was sent to a webhook to try it out.
    WebhookTested "webhook.tested" Info WithChange { webhook: WebhookId, }
    /// Former events are sent to a webhook once more.
    WebhookReplayed "webhook.replayed" Info WithChange { webhook: WebhookId, }
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
    /// The name of the device, or what its client calls itself. Chosen by the client: not for logs and metrics.
    pub device: Option<Label>,
    /// The fields of the account that were changed.
    pub changed: Option<ChangedFields>,
    /// The key that signs tokens.
    pub key: Option<KeyId>,
    /// The mail that was not sent.
    pub delivery: Option<DeliveryId>,
    /// What that mail was for.
    pub mail: Option<MailKind>,
    /// The API key that was made or revoked.
    pub api_key: Option<ApiKeyId>,
    /// The webhook.
    pub webhook: Option<WebhookId>,
    /// Why it was switched off.
    pub cause: Option<DisabledReason>,
    /// The kind of factor.
    pub factor: Option<FactorKind>,
    /// How many recovery codes are left.
    pub left: Option<u32>,
    /// Why an operator did it. Chosen by the operator: not for logs and metrics, and not for others than operators.
    pub note: Option<Label>,
}

impl EventFields {
    /// What the event says beside whose it is, where it came from and on which device; no value identifies a person, but for what an operator
    /// has written in [`Self::note`].
    pub fn details(&self) -> BTreeMap<String, String> {
        let fields = [
            ("kept", self.kept.map(|kept| kept.to_string())),
            ("reason", self.reason.map(|reason| reason.name().to_owned())),
            ("limit", self.limit.map(|limit| limit.as_str().to_owned())),
            ("presented", self.presented.map(|number| number.to_string())),
            ("live", self.live.map(|number| number.to_string())),
            ("lost", self.lost.map(|number| number.to_string())),
            (
                "gap_seconds",
                self.gap.map(|gap| gap.as_secs_f64().to_string()),
            ),
            ("late", self.late.map(|late| late.to_string())),
            ("revoked", self.revoked.map(|revoked| revoked.to_string())),
            ("changed", self.changed.map(|changed| changed.to_string())),
            ("key", self.key.as_ref().map(KeyId::to_string)),
            (
                "delivery",
                self.delivery.map(|delivery| delivery.to_string()),
            ),
            ("mail", self.mail.map(|mail| mail.as_str().to_owned())),
            ("api_key", self.api_key.map(|key| key.to_string())),
            ("webhook", self.webhook.map(|webhook| webhook.to_string())),
            ("cause", self.cause.map(|cause| cause.as_str().to_owned())),
            (
                "factor",
                self.factor.map(|factor| factor.as_str().to_owned()),
            ),
            ("left", self.left.map(|left| left.to_string())),
            (
                JournalRecord::NOTE,
                self.note.as_ref().map(|note| note.as_str().to_owned()),
            ),
        ];
        let found = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        found.collect()
    }
}

impl SecurityEvent {
    const SIGNED_OUT: &'static str = "session.signed_out";
    const REPLACED: &'static str = "session.replaced";
    const EVICTED: &'static str = "session.evicted";

    /// The stable name, such as `session.reused`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SessionEnded { reason, .. } => match reason {
                EndReason::SignedOut => Self::SIGNED_OUT,
                EndReason::Replaced => Self::REPLACED,
                EndReason::Evicted => Self::EVICTED,
                _ => self.table_name(),
            },
            _ => self.table_name(),
        }
    }

    /// The names of all that comes into the journal.
    pub fn journaled_names() -> impl Iterator<Item = &'static str> {
        let table = Self::TABLE.iter();
        table
            .filter(|(_, journaled)| *journaled != Journaled::Never)
            .map(|(name, _)| *name)
            .chain([Self::SIGNED_OUT, Self::REPLACED, Self::EVICTED])
    }

    /// How the event comes into the journal.
    pub const fn journaled(&self) -> Journaled {
        match self {
            Self::SessionReused { revoked: false, .. } => Journaled::Noted,
            _ => self.table_journaled(),
        }
    }
}
