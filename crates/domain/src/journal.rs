//! What is written down with a change, in the commit of the change: entries of the journal, and mails.

mod changed_fields;
mod event;
mod record;

pub use changed_fields::ChangedFields;
pub use event::{EventFields, Journaled, SecurityEvent, Severity};
pub use record::JournalRecord;

use crate::model::{
    ApiKeyId, DeliveryId, EmailAddress, EventId, Locale, ProofId, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// On whose behalf something happened.
///
/// An event that a user causes is about the user's own account: stores keep the account once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The account's user, who has signed in or proved it otherwise.
    User(UserId),
    /// An operator, on the command line.
    Operator,
    /// A program of operators, by its key.
    Key(ApiKeyId),
    /// The service itself.
    System,
    /// Somebody who has proved nothing.
    Stranger,
}

impl Actor {
    /// The stable name, as interfaces have it. That of a key says nothing of which.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Operator => "operator",
            Self::Key(_) => "key",
            Self::System => "system",
            Self::Stranger => "stranger",
        }
    }

    /// The key, if it is one.
    pub const fn key(self) -> Option<ApiKeyId> {
        match self {
            Self::Key(key) => Some(key),
            _ => None,
        }
    }

    /// The actor that stores have under that text (the one of [`fmt::Display`]); a user is the one whose account it is about.
    pub fn named(name: &str, user: Option<UserId>) -> Option<Self> {
        if let Some(key) = name.strip_prefix("key:") {
            return key.parse().ok().map(Self::Key);
        }
        let actors = [Self::Operator, Self::System, Self::Stranger];
        let user = user.map(Self::User);
        let mut actors = actors.into_iter().chain(user);
        actors.find(|actor| actor.name() == name)
    }
}

/// As stores have it: the name, and which key it is.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.key().map_or(Ok(()), |key| write!(f, ":{key}"))
    }
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// On whose behalf.
    pub actor: Actor,
    /// What happened.
    pub event: SecurityEvent,
}

/// What a mail is for, and so its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Proves the mailbox of a sign-up.
    SignUp,
    /// Proves the mailbox of an account.
    VerifyEmail,
    /// Proves the mailbox that an account changes to.
    ChangeEmail,
    /// Lets its reader choose a new password.
    ResetPassword,
    /// Lets its reader choose the first password of an account that an operator has made.
    Invitation,
    /// Lets its reader sign in.
    SignIn,
    /// Somebody asked for a code to sign in to an account whose address was never verified: there is none.
    SignInUnverified,
    /// Somebody signed up with the address of an account.
    AccountExists,
    /// Somebody has signed in on a device that the account did not know.
    NewDevice,
    /// The password was changed.
    PasswordChanged,
    /// The password was reset by a proof of the mailbox.
    PasswordReset,
    /// The address was changed: to the old one, with a proof that undoes it.
    EmailChanged,
    /// A refresh token was used again; the session was ended.
    SessionReused,
    /// A factor was added, or recovery codes were made; the subject is which, by [`FactorKind::as_str`](crate::model::FactorKind::as_str).
    FactorAdded,
    /// A factor was removed; the subject is which.
    FactorRemoved,
    /// A recovery code was used; the subject is how many are left.
    RecoveryCodeUsed,
    /// An operator has ordered a reset of all factors: with a proof that stops it. The subject is when it counts (RFC 3339).
    FactorResetOrdered,
    /// All factors were reset.
    FactorsReset,
    /// An operator disabled the account.
    AccountDisabled,
    /// The account was deleted.
    AccountDeleted,
    /// A webhook was switched off: to operators.
    WebhookDisabled,
}

impl MailKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::SignUp,
        Self::VerifyEmail,
        Self::ChangeEmail,
        Self::ResetPassword,
        Self::Invitation,
        Self::SignIn,
        Self::SignInUnverified,
        Self::AccountExists,
        Self::NewDevice,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChanged,
        Self::SessionReused,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodeUsed,
        Self::FactorResetOrdered,
        Self::FactorsReset,
        Self::AccountDisabled,
        Self::AccountDeleted,
        Self::WebhookDisabled,
    ];

    /// The stable name: that of the template, of the stored row and of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::ResetPassword => "reset_password",
            Self::Invitation => "invitation",
            Self::SignIn => "sign_in",
            Self::SignInUnverified => "sign_in_unverified",
            Self::AccountExists => "account_exists",
            Self::NewDevice => "new_device",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChanged => "email_changed",
            Self::SessionReused => "session_reused",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::FactorResetOrdered => "factor_reset_ordered",
            Self::FactorsReset => "factors_reset",
            Self::AccountDisabled => "account_disabled",
            Self::AccountDeleted => "account_deleted",
            Self::WebhookDisabled => "webhook_disabled",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Whether the mail asks for something, with a code: without its proof it is of no use. The others tell of something that has happened.
    pub const fn asks(self) -> bool {
        matches!(
            self,
            Self::SignUp
                | Self::VerifyEmail
                | Self::ChangeEmail
                | Self::ResetPassword
                | Self::Invitation
                | Self::SignIn
        )
    }

    /// Whether the mail is of no use once its request is old: then it is dropped.
    pub const fn is_momentary(self) -> bool {
        self.asks() || matches!(self, Self::SignInUnverified)
    }

    /// Whether a mailbox of an account gets at most one mail of this kind within its [interval](Self::least_interval): the others are counted in
    /// the next.
    pub const fn is_notice(self) -> bool {
        self.least_interval().is_some()
    }

    /// The least time between two mails of this kind to one mailbox of an account; `None` if each is sent on its own.
    pub const fn least_interval(self) -> Option<Duration> {
        match self {
            // Anybody can cause them.
            Self::SignInUnverified | Self::AccountExists => Some(Duration::from_hours(24)),
            Self::NewDevice
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::SessionReused
            | Self::AccountDisabled
            | Self::AccountDeleted => Some(Duration::from_hours(1)),
            Self::SignUp
            | Self::VerifyEmail
            | Self::ChangeEmail
            | Self::ResetPassword
            | Self::Invitation
            | Self::SignIn
            | Self::EmailChanged
            // Each says something of its own, and who guesses can cause none of them.
            | Self::FactorAdded
            | Self::FactorRemoved
            | Self::RecoveryCodeUsed
            | Self::FactorResetOrdered
            | Self::FactorsReset
            | Self::WebhookDisabled => None,
        }
    }
}

/// What a mail tells of the request that caused it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailFacts {
    /// When it was.
    pub at: Option<Timestamp>,
    /// The address of the client.
    pub address: Option<IpAddr>,
    /// The client in words, such as the name of its device.
    pub client: Option<String>,
    /// What else the template shows: the new address for [`MailKind::EmailChanged`], and what the kinds of factors say.
    pub subject: Option<String>,
}

/// A mail to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMail {
    /// Its id, which its `Message-ID` is made of.
    pub id: DeliveryId,
    /// What it is for.
    pub kind: MailKind,
    /// Where it goes, as it was typed.
    pub to: EmailAddress,
    /// Its language; without one the service's.
    pub locale: Option<Locale>,
    /// The account that it is about.
    pub user: Option<UserId>,
    /// The proof whose code and link it has. They are derived when it is sent. If the proof is spent or void by then, a mail that
    /// [asks](MailKind::asks) for something is dropped, and another one has no link.
    pub proof: Option<ProofId>,
    /// What it tells.
    pub facts: MailFacts,
    /// From when on it is not sent any more: then it is dropped if it asks for something, and else given up.
    pub expires_at: Timestamp,
}

impl NewMail {
    /// The same, which tells of this as well.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.facts.subject = Some(subject.into());
        self
    }
}

/// What is told of an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What goes into the journal.
    pub events: Vec<SecurityEvent>,
    /// What goes out by mail.
    pub mails: Vec<NewMail>,
}

impl From<Vec<SecurityEvent>> for Told {
    fn from(events: Vec<SecurityEvent>) -> Self {
        Self {
            events,
            mails: Vec::new(),
        }
    }
}

/// Tells what an outcome means, once a store knows it. A store calls it within its transaction and commits what it answers with the change:
/// both or neither. It is pure, so that a transaction that is tried again tells the same.
pub struct Tell<O> {
    /// The id of the first entry; those of the others are derived from it.
    pub id: EventId,
    /// The time of the entries.
    pub at: Timestamp,
    /// On whose behalf.
    pub actor: Actor,
    told: Arc<dyn Fn(&O) -> Told + Send + Sync>,
}

impl<O> Tell<O> {
    /// `told` says what an outcome means.
    pub fn new<T: Into<Told>>(
        id: EventId,
        at: Timestamp,
        actor: Actor,
        told: impl Fn(&O) -> T + Send + Sync + 'static,
    ) -> Self {
        Self {
            id,
            at,
            actor,
            told: Arc::new(move |outcome| told(outcome).into()),
        }
    }

    /// What an outcome means.
    pub fn told(&self, outcome: &O) -> Told {
        (self.told)(outcome)
    }

    /// The entries and the mails of an outcome.
    pub fn of(&self, outcome: &O) -> (Vec<JournalEntry>, Vec<NewMail>) {
        let Told { events, mails } = self.told(outcome);
        let entries = events
            .into_iter()
            .enumerate()
            .map(|(index, event)| JournalEntry {
                id: if index == 0 {
                    self.id
                } else {
                    self.id.derive(&index.to_string())
                },
                at: self.at,
                actor: self.actor,
                event,
            });
        (entries.collect(), mails)
    }
}

impl<O> Clone for Tell<O> {
    fn clone(&self) -> Self {
        Self {
            told: Arc::clone(&self.told),
            ..*self
        }
    }
}
