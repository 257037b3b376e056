//! The life of a key: `next → active → retired → gone`. A transition consumes the state that it leaves, so that no state can be
//! left twice.

use crate::model::Timestamp;
use std::{fmt, time::Duration};

/// Published, so that verifiers can fetch it; does not sign yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// When the state began.
    pub since: Timestamp,
    /// When every verifier has fetched it, so that it may sign.
    pub signs_from: Timestamp,
}

/// Signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// When the state began.
    pub since: Timestamp,
}

/// Verifies the tokens that it signed; signs no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    /// When the state began.
    pub since: Timestamp,
    /// When the last token that it signed has expired.
    pub until: Timestamp,
}

/// The key is to be deleted, with its secret part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the row has to be deleted"]
pub struct Gone;

/// A transition came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not before {}", .0.to_datetime())]
pub struct NotYet(pub Timestamp);

impl Next {
    /// A key that is published now and may sign after `lead`, the longest time that a verifier takes to fetch it.
    pub fn publish(now: Timestamp, lead: Duration) -> Self {
        Self {
            since: now,
            signs_from: now.plus(lead),
        }
    }

    /// The key becomes active.
    ///
    /// # Errors
    /// [`NotYet`] if a verifier may not have fetched it yet.
    pub fn activate(self, now: Timestamp) -> Result<Active, NotYet> {
        if now < self.signs_from {
            Err(NotYet(self.signs_from))
        } else {
            Ok(self.activate_early(now))
        }
    }

    /// The key becomes active at once, for when the active key must not sign any more. Verifiers that have not fetched it refuse
    /// its tokens for a while.
    pub fn activate_early(self, now: Timestamp) -> Active {
        Active::begin(now)
    }

    /// The key is deleted. It has signed nothing.
    pub fn discard(self) -> Gone {
        Gone
    }
}

impl Active {
    /// The first key of its use is active at once: verifiers have no older one.
    pub fn begin(now: Timestamp) -> Self {
        Self { since: now }
    }

    /// The key retires. Its tokens live for `token_life`; `margin` is for replicas that learn of it late or whose clocks
    /// differ.
    pub fn retire(self, now: Timestamp, token_life: Duration, margin: Duration) -> Retired {
        Retired {
            since: now,
            until: now.plus(token_life.saturating_add(margin)),
        }
    }
}

impl Retired {
    /// The key is deleted.
    ///
    /// # Errors
    /// [`NotYet`] while a token that it signed may be valid.
    pub fn remove(self, now: Timestamp) -> Result<Gone, NotYet> {
        if now < self.until {
            Err(NotYet(self.until))
        } else {
            Ok(Gone)
        }
    }

    /// The key is deleted although its tokens may be valid, for one that was stolen.
    pub fn remove_early(self) -> Gone {
        Gone
    }
}

/// The state of a key with its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Published.
    Next(Next),
    /// Signing.
    Active(Active),
    /// Verifying only.
    Retired(Retired),
}

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// [`Phase::Next`]
    Next,
    /// [`Phase::Active`]
    Active,
    /// [`Phase::Retired`]
    Retired,
}

impl KeyState {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Phase {
    /// The state alone.
    pub const fn state(&self) -> KeyState {
        match self {
            Self::Next(_) => KeyState::Next,
            Self::Active(_) => KeyState::Active,
            Self::Retired(_) => KeyState::Retired,
        }
    }

    /// When the state began.
    pub const fn since(&self) -> Timestamp {
        match self {
            Self::Next(Next { since, .. })
            | Self::Active(Active { since })
            | Self::Retired(Retired { since, .. }) => *since,
        }
    }

    /// When the next transition is possible; `None` for an active key.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Next(next) => Some(next.signs_from),
            Self::Active(_) => None,
            Self::Retired(retired) => Some(retired.until),
        }
    }

    /// The phase of a store's row; `None` if the values do not fit together.
    pub fn from_parts(state: &str, since: Timestamp, until: Option<Timestamp>) -> Option<Self> {
        match (state, until) {
            ("next", Some(signs_from)) => Some(Self::Next(Next { since, signs_from })),
            ("active", None) => Some(Self::Active(Active { since })),
            ("retired", Some(until)) => Some(Self::Retired(Retired { since, until })),
            _ => None,
        }
    }
}
