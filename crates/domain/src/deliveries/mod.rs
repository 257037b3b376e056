//! The outbox: mails that were committed with what they tell, until they have arrived.
//!
//! A delivery waits until it is due, is leased by one replica at a time, and is deleted once the next server has taken it. A lease that runs out,
//! because its replica is gone, is due again. What was refused for good, or not taken in time, is kept for [`KEPT`] as given up.

mod fairness;
mod in_flight;
mod pause;

pub use fairness::Fairness;
pub use in_flight::{InFlight, SendLimits};
pub use pause::{LONGEST_PAUSE, pause};

use crate::{journal::NewMail, model::Timestamp};
use std::time::Duration;

/// How long a delivery that was given up is kept.
pub const KEPT: Duration = Duration::from_hours(7 * 24);

/// Whether a delivery is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It is, now or later.
    Waiting,
    /// It was refused for good, or nobody took it in time.
    GivenUp,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Waiting, Self::GivenUp];

    /// The stable name: that of the stored row, of commands and of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::GivenUp => "given_up",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A mail in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What is sent.
    pub mail: NewMail,
    /// How many more mails of the kind it stands for. It does not change any more once the mail was tried.
    pub more: u32,
    /// Whether it is still to be sent.
    pub state: DeliveryState,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it was or is to be sent first.
    pub due_at: Timestamp,
    /// When it is tried next. While it is leased, that is when the lease runs out; once it was given up, when it is forgotten.
    pub next_at: Timestamp,
    /// Until when a replica has it, if one does.
    pub leased_until: Option<Timestamp>,
    /// How often it was leased.
    pub attempts: u32,
    /// Why the last attempt failed, without code, link and address.
    pub last_error: Option<String>,
}

/// Asks for deliveries that are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRequest {
    /// Now.
    pub at: Timestamp,
    /// When the leases run out.
    pub until: Timestamp,
    /// The most deliveries.
    pub limit: u32,
    /// Only to domains after this one, in ascending order of bytes; empty: from the first on.
    pub after: String,
    /// What the destinations may have.
    pub fairness: Fairness,
}

/// What became of a leased delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The next server has taken it: it is deleted.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// It is no longer useful: it is deleted.
    Dropped,
    /// It is tried again.
    Again {
        /// When.
        at: Timestamp,
        /// Why it was not sent.
        error: String,
    },
    /// It is not tried any more.
    GivenUp {
        /// When.
        at: Timestamp,
        /// Why it was not sent.
        error: String,
    },
}

impl Settled {
    /// The names of all outcomes.
    pub const NAMES: [&str; 4] = ["sent", "dropped", "again", "given_up"];

    /// The stable name, that metrics have.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Dropped => "dropped",
            Self::Again { .. } => "again",
            Self::GivenUp { .. } => "given_up",
        }
    }
}

/// Which deliveries to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// How many at most.
    pub limit: u32,
}

/// How full the outbox is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many deliveries wait, due or not.
    pub waiting: u64,
    /// When the one was to be sent first that has been due for longest.
    pub oldest_due: Option<Timestamp>,
    /// How many were given up and are still kept.
    pub given_up: u64,
}
