//! `next → active → retired → gone`. A transition consumes the state that it leaves, so that none can be left twice.

use crate::model::Timestamp;
use std::{fmt, time::Duration};

/// Published, so that everybody can get to know it; does not sign yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Since when.
    pub since: Timestamp,
    /// From when on everybody knows it, so that it may sign.
    pub signs_from: Timestamp,
}

/// Signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// Since when.
    pub since: Timestamp,
}

/// Verifies what it signed, and signs nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    /// Since when.
    pub since: Timestamp,
    /// When the last token that it signed has expired.
    pub until: Timestamp,
}

/// Nothing is left of the key: its row is to be deleted, its secret part with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the row has to be deleted"]
pub struct Gone;

/// A transition came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not before {}", .0.to_datetime())]
pub struct NotYet(pub Timestamp);

impl Next {
    /// A key that is published now and may sign after `lead`: the time that the last reader takes to hear of it.
    pub fn publish(now: Timestamp, lead: Duration) -> Self {
        Self {
            since: now,
            signs_from: now.plus(lead),
        }
    }

    /// Signs from now on.
    ///
    /// # Errors
    /// [`NotYet`] if a reader may not know it yet.
    pub fn activate(self, now: Timestamp) -> Result<Active, NotYet> {
        if now < self.signs_from {
            Err(NotYet(self.signs_from))
        } else {
            Ok(self.activate_early(now))
        }
    }

    /// Signs from now on, whoever knows it: for when the active key must not sign any more, whatever it costs.
    pub fn activate_early(self, now: Timestamp) -> Active {
        Active::begin(now)
    }

    /// Is not to be used after all. It signed nothing that could be missed.
    pub fn discard(self) -> Gone {
        Gone
    }
}

impl Active {
    /// The first key of its use signs at once: there is no older one that readers could know instead.
    pub fn begin(now: Timestamp) -> Self {
        Self { since: now }
    }

    /// Signs nothing more. Its tokens live for `token_life`; `margin` is for replicas that hear of it late or whose
    /// clocks differ.
    pub fn retire(self, now: Timestamp, token_life: Duration, margin: Duration) -> Retired {
        Retired {
            since: now,
            until: now.plus(token_life.saturating_add(margin)),
        }
    }
}

impl Retired {
    /// Goes.
    ///
    /// # Errors
    /// [`NotYet`] while a token that it signed may be alive.
    pub fn remove(self, now: Timestamp) -> Result<Gone, NotYet> {
        if now < self.until {
            Err(NotYet(self.until))
        } else {
            Ok(Gone)
        }
    }

    /// Goes with all of its tokens: for a key that somebody else has got hold of.
    pub fn remove_early(self) -> Gone {
        Gone
    }
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Published.
    Next(Next),
    /// Signing.
    Active(Active),
    /// Verifying only.
    Retired(Retired),
}

/// The name of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// [`Phase::Next`]
    Next,
    /// [`Phase::Active`]
    Active,
    /// [`Phase::Retired`]
    Retired,
}

impl State {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Phase {
    /// Its name.
    pub const fn state(&self) -> State {
        match self {
            Self::Next(_) => State::Next,
            Self::Active(_) => State::Active,
            Self::Retired(_) => State::Retired,
        }
    }

    /// When it began.
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::Next(Next { since, .. })
            | Self::Active(Active { since })
            | Self::Retired(Retired { since, .. }) => *since,
        }
    }

    /// When the next transition is due, if that is known.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Next(next) => Some(next.signs_from),
            Self::Active(_) => None,
            Self::Retired(retired) => Some(retired.until),
        }
    }

    /// From what a store keeps; `None` if it does not fit together.
    pub fn from_parts(state: &str, since: Timestamp, until: Option<Timestamp>) -> Option<Self> {
        match (state, until) {
            ("next", Some(signs_from)) => Some(Self::Next(Next { since, signs_from })),
            ("active", None) => Some(Self::Active(Active { since })),
            ("retired", Some(until)) => Some(Self::Retired(Retired { since, until })),
            _ => None,
        }
    }
}
