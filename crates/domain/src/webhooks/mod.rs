//! Webhooks: endpoints of operators' programs, and the events that are on their way to them.
//!
//! A delivery is an event of the journal for one endpoint. It waits until it is due, is leased by one replica at a time, and is deleted once the
//! endpoint has taken it. What the endpoint did not take in time is kept for [`KEPT`](crate::deliveries::KEPT) as given up.

mod endpoint;
mod filter;

pub use crate::model::DisabledReason;
pub use endpoint::{UrlError, WebhookUrl};
pub use filter::{EventFilter, FilterError};

use crate::{
    journal::JournalRecord,
    keys::SealedKey,
    model::{EventId, Label, Timestamp, WebhookId},
};
use std::time::Duration;

/// How long the secret before still signs, beside the new one, after a rotation.
pub const ROTATION: Duration = Duration::from_hours(24);

/// The most endpoints.
pub const MOST: usize = 50;

/// The most deliveries that a replica sends to one endpoint at once.
pub const SHARE: u32 = 4;

/// The secret before the present one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// Sealed.
    pub secret: SealedKey,
    /// Until when it signs, too.
    pub until: Timestamp,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// What operators call it.
    pub name: Label,
    /// Where events are sent.
    pub url: WebhookUrl,
    /// Which events.
    pub events: EventFilter,
    /// What signs: 32 random bytes, sealed.
    pub secret: SealedKey,
    /// What signs beside it for a while after a rotation.
    pub previous: Option<PreviousSecret>,
    /// Why nothing is sent, if so.
    pub disabled: Option<DisabledReason>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Events from before are not sent, unless an operator asks for them: when it was made, or enabled last.
    pub since: Timestamp,
    /// Since when nothing was taken, if the last attempt failed.
    pub failing_since: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// How often an operator or the service has changed it. A store counts it.
    pub version: u32,
}

impl Webhook {
    /// Whether an event of the journal is sent here by itself.
    pub fn wants(&self, entry: &JournalRecord) -> bool {
        self.disabled.is_none() && entry.at >= self.since && self.events.matches(&entry.event)
    }

    /// The secrets that sign at a time, the present one first.
    pub fn secrets(&self, at: Timestamp) -> impl Iterator<Item = &SealedKey> {
        let previous = self.previous.iter().filter(move |old| old.until > at);
        std::iter::once(&self.secret).chain(previous.map(|old| &old.secret))
    }
}

/// An event to send to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookOrder {
    /// The endpoint.
    pub webhook: WebhookId,
    /// The event.
    pub event: EventId,
    /// When it is due.
    pub at: Timestamp,
    /// From when on it is not sent any more.
    pub expires_at: Timestamp,
}

/// An event that a replica has leased for an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// The endpoint.
    pub webhook: WebhookId,
    /// The event, as the journal has it now.
    pub event: JournalRecord,
    /// How often it was leased.
    pub attempts: u32,
    /// From when on it is not sent any more.
    pub expires_at: Timestamp,
}

/// Asks for deliveries that are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookLease {
    /// Now.
    pub at: Timestamp,
    /// When the leases run out.
    pub until: Timestamp,
    /// The endpoints, and how many deliveries of each at most.
    pub rooms: Vec<(WebhookId, u32)>,
}

/// What became of a leased delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookSettled {
    /// The endpoint has taken it: it is deleted, and the endpoint works.
    Sent,
    /// It was cut off: another replica may try at once, if the endpoint is not switched off. It says nothing about the endpoint.
    CutOff,
    /// It was not taken.
    Failed {
        /// Why.
        error: String,
        /// When it is tried again; without, it is given up.
        next_at: Option<Timestamp>,
        /// The endpoint is switched off if it has been failing since then or longer.
        failing_since: Timestamp,
    },
    /// The endpoint wants no more: it is switched off, and the delivery given up.
    Gone {
        /// What it said.
        error: String,
    },
}

impl WebhookSettled {
    /// The stable name, that metrics have.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::CutOff
            | Self::Failed {
                next_at: Some(_), ..
            } => "again",
            Self::Failed { next_at: None, .. } | Self::Gone { .. } => "given_up",
        }
    }
}
