//! The state machine of refresh-token rotation: pure, without I/O, clock or randomness.
//!
//! A store keeps one [`Entry`] per live session and applies [`step`] to it atomically. The in-memory and SQLite adapters
//! call this function; the Lua script of the Redis adapter is held to it by differential tests. DESIGN §4 has the table
//! whose rows the branches of [`step`] follow, in that order.
//!
//! Two clocks meet here and never mix: `issued_at` and `expires_at` are claims, set from a replica's clock and only
//! handed through; `rotated_at` and `dies_at` are the store's own time and decide windows and expiry.

use crate::model::{DeviceId, Epoch, Generation, SessionId, Timestamp, TokenId, UserId};
use std::time::Duration;

/// The refresh token of a session that is alive: what is needed to mint it again, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveToken {
    /// Its generation; its id follows from it ([`TokenId::of`]).
    pub generation: Generation,
    /// The `iat` claim, in whole seconds.
    pub issued_at: Timestamp,
    /// The `exp` claim, in whole seconds.
    pub expires_at: Timestamp,
    /// The `did` claim: set once the session is bound to its device.
    pub device: Option<DeviceId>,
}

impl LiveToken {
    /// How long it lives from its issue on.
    pub fn lifetime(&self) -> Duration {
        self.expires_at.since(self.issued_at)
    }
}

/// What a store keeps of a live session: its white-listed token, and what decides on retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The white-listed token.
    pub token: LiveToken,
    /// The session's epoch, so that a clearing of older epochs knows what to spare.
    pub epoch: Epoch,
    /// When this generation came to be, on the store's clock.
    pub rotated_at: Timestamp,
    /// When the store forgets it, on the store's clock.
    pub dies_at: Timestamp,
    /// How many generations in a row were retried late.
    pub late: u32,
    /// Whether the current generation has been counted in `late`.
    pub charged: bool,
    /// Whether reuse was found: nothing is rotated any more, and the finding is told until the session's row says so, too.
    pub reused: bool,
}

impl Entry {
    /// The entry of a session that begins at `now` (the store's clock).
    pub fn begin(token: LiveToken, epoch: Epoch, now: Timestamp) -> Self {
        Self {
            token,
            epoch,
            rotated_at: now,
            dies_at: now.plus(token.lifetime()),
            late: 0,
            charged: false,
            reused: false,
        }
    }

    /// Whether it is alive at `now` (the store's clock). Dead entries never count.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.dies_at
    }
}

/// What to do when a token turns out to have been used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReusePolicy {
    /// End the session.
    #[default]
    Revoke,
    /// Refuse the token, raise the event, and keep the session.
    Reject,
}

/// The windows in which a lost answer can be fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// For so long after a rotation a retry is free.
    pub retry_free: Duration,
    /// Later, and up to here, it is a late retry; zero allows none.
    pub retry_window: Duration,
    /// The same for a session that is bound to its device.
    pub bound_retry_window: Duration,
    /// So many generations in a row may be retried late.
    pub late_retries: u32,
    /// What happens on reuse.
    pub reuse: ReusePolicy,
}

impl Default for RetryPolicy {
    /// 10 s free, 10 min late, 24 h late when bound, 3 in a row, reuse revokes.
    fn default() -> Self {
        Self {
            retry_free: Duration::from_secs(10),
            retry_window: Duration::from_mins(10),
            bound_retry_window: Duration::from_hours(24),
            late_retries: 3,
            reuse: ReusePolicy::Revoke,
        }
    }
}

/// What is known about the device that presents a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceProof {
    /// The device that the session belongs to.
    pub owner: DeviceId,
    /// The device whose credential was shown and verified, if one was.
    pub shown: Option<DeviceId>,
    /// Whether the token's claim or the session's row says that the session is bound.
    pub bound: bool,
}

impl DeviceProof {
    /// Whether this proof is enough: a foreign credential never is, none is only while nothing says bound.
    pub fn satisfies(&self, entry: Option<&Entry>) -> bool {
        match self.shown {
            Some(shown) => shown == self.owner,
            None => !self.bound && entry.is_none_or(|entry| entry.token.device.is_none()),
        }
    }
}

/// One attempt to refresh, as it reaches a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Whose session.
    pub user: UserId,
    /// Which session.
    pub session: SessionId,
    /// The generation of the token that was presented.
    pub presented: Generation,
    /// Whether the presented token is past its `exp` on the replica's clock. The store's clock decides over what it
    /// knows; only a token that would have to heal the store is judged by this.
    pub expired: bool,
    /// The `iat` of a successor.
    pub issued_at: Timestamp,
    /// The `exp` of a successor.
    pub expires_at: Timestamp,
    /// The session's epoch, from its row.
    pub epoch: Epoch,
    /// What is known about the device.
    pub device: DeviceProof,
    /// The windows.
    pub policy: RetryPolicy,
}

impl Rotation {
    /// The token that replaces the presented one.
    pub fn successor(&self) -> LiveToken {
        LiveToken {
            generation: self.presented.next(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            device: self.device.shown,
        }
    }

    /// The id of the presented token.
    pub fn presented_id(&self) -> TokenId {
        TokenId::of(self.session, self.presented)
    }

    /// The id of the token that replaces it.
    pub fn successor_id(&self) -> TokenId {
        TokenId::of(self.session, self.presented.next())
    }
}

/// How an attempt to refresh came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationOutcome {
    /// The session is bound and its credential was not shown, or a foreign one was. Nothing changed.
    DeviceMismatch,
    /// The store has no live token of the session. Nothing changed.
    Unknown,
    /// The store had lost acknowledged rotations; the presented token proved the later generation and was replaced.
    Healed {
        /// The successor.
        token: LiveToken,
        /// The generation that the store still had.
        lost: Generation,
    },
    /// The presented token was replaced.
    Rotated(LiveToken),
    /// The presented token had been replaced already; this is the same successor. `late` says if the retry was counted.
    Repeated {
        /// The successor.
        token: LiveToken,
        /// Since when it exists.
        age: Duration,
        /// Whether this came after the free window.
        late: bool,
    },
    /// An older token, but a rotation happened just now: a slow sibling. Nothing changed.
    Stale,
    /// A token that is no longer the client's to use: theft or fork.
    Reused {
        /// The generation that is (or was, if the policy revokes) alive.
        live: Generation,
        /// Since when it exists.
        age: Duration,
        /// Whether the session is to end: the entry is marked, and rotates nothing any more.
        revoked: bool,
    },
}

/// What a store writes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Nothing.
    Keep,
    /// This entry in place of the old one.
    Put(Entry),
}

/// Applies one attempt to what a store has of the session, at `now` on the store's clock: the first row of the table
/// that fits. Device check, Unknown, Reused if it was found before, Healed, Rotated, Repeated, Stale, Reused.
pub fn step(
    found: Option<&Entry>,
    rotation: &Rotation,
    now: Timestamp,
) -> (RotationOutcome, Write) {
    let live = found.filter(|entry| entry.is_live(now));
    if !rotation.device.satisfies(live) {
        return (RotationOutcome::DeviceMismatch, Write::Keep);
    }
    let Some(entry) = live else {
        return (RotationOutcome::Unknown, Write::Keep);
    };
    if entry.reused {
        return (reuse(entry, now, true), Write::Keep);
    }
    let current = entry.token.generation;

    if current < rotation.presented {
        if rotation.expired {
            return (RotationOutcome::Unknown, Write::Keep);
        }
        let next = Entry::begin(rotation.successor(), rotation.epoch, now);
        return (
            RotationOutcome::Healed {
                token: next.token,
                lost: current,
            },
            Write::Put(next),
        );
    }
    if current == rotation.presented {
        let fresh = Entry::begin(rotation.successor(), rotation.epoch, now);
        let next = Entry {
            late: if entry.charged { entry.late } else { 0 },
            ..fresh
        };
        return (RotationOutcome::Rotated(next.token), Write::Put(next));
    }
    retry(entry, rotation, now)
}

/// The presented token is older than the live one.
fn retry(entry: &Entry, rotation: &Rotation, now: Timestamp) -> (RotationOutcome, Write) {
    let policy = &rotation.policy;
    let age = now.since(entry.rotated_at);
    let free = age < policy.retry_free;
    if entry.token.generation == rotation.presented.next() {
        let repeated = |late| RotationOutcome::Repeated {
            token: entry.token,
            age,
            late,
        };
        if free {
            return (repeated(false), Write::Keep);
        }
        let window = if rotation.device.shown.is_some() {
            policy.bound_retry_window
        } else {
            policy.retry_window
        };
        if age < window && entry.charged {
            return (repeated(true), Write::Keep);
        }
        if age < window && entry.late < policy.late_retries {
            return (
                repeated(true),
                Write::Put(Entry {
                    late: entry.late + 1,
                    charged: true,
                    ..*entry
                }),
            );
        }
    }
    if free {
        return (RotationOutcome::Stale, Write::Keep);
    }
    let revoked = policy.reuse == ReusePolicy::Revoke;
    (
        reuse(entry, now, revoked),
        if revoked {
            Write::Put(Entry {
                reused: true,
                ..*entry
            })
        } else {
            Write::Keep
        },
    )
}

fn reuse(entry: &Entry, now: Timestamp, revoked: bool) -> RotationOutcome {
    RotationOutcome::Reused {
        live: entry.token.generation,
        age: now.since(entry.rotated_at),
        revoked,
    }
}
