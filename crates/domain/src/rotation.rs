//! The state machine of refresh-token rotation: pure, without I/O, clock or randomness.
//!
//! A store keeps one [`Entry`] per live session and applies [`step`] to it atomically. The in-memory and SQLite adapters
//! call this function; differential tests hold the Lua script of the Redis adapter to it. The branches of [`step`] follow the rows
//! of the table in `docs/sessions.md`, in that order.
//!
//! Two clocks are used and never mixed: `issued_at` and `expires_at` are claims, set from a replica's clock and only passed on;
//! `rotated_at` and `dies_at` are the store's own time and decide windows and expiry.

use crate::model::{DeviceId, Epoch, Generation, SessionId, Timestamp, TokenId, UserId};
use std::time::Duration;

/// The live refresh token of a session: what is needed to mint it again, byte for byte.
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
    /// The time from its issue to its expiry.
    pub fn lifetime(&self) -> Duration {
        self.expires_at.since(self.issued_at)
    }
}

/// The white-list entry of a live session: its token, and the state of retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The white-listed token.
    pub token: LiveToken,
    /// The `iat` claim of the token that it replaced, in whole seconds; `None` if it replaced none, or was written by a release that did
    /// not keep it.
    pub parent_issued_at: Option<Timestamp>,
    /// The session's epoch; a clearing removes the entries of older epochs.
    pub epoch: Epoch,
    /// When this generation was written, on the store's clock.
    pub rotated_at: Timestamp,
    /// When the entry expires, on the store's clock.
    pub dies_at: Timestamp,
    /// How many generations in a row were retried late.
    pub late: u32,
    /// Whether the current generation has been counted in `late`.
    pub charged: bool,
    /// Whether reuse was found: the token is not rotated any more, and every attempt is reuse until the session's row has ended.
    pub reused: bool,
}

impl Entry {
    /// The entry of a session that begins at `now` (the store's clock).
    pub fn begin(token: LiveToken, epoch: Epoch, now: Timestamp) -> Self {
        Self {
            token,
            parent_issued_at: None,
            epoch,
            rotated_at: now,
            dies_at: now.plus(token.lifetime()),
            late: 0,
            charged: false,
            reused: false,
        }
    }

    /// Whether it has not expired at `now` (the store's clock). Expired entries never count.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.dies_at
    }

    /// Whether the store knows that another token was minted as the presented generation: session and generation are the same, the
    /// `iat` is not. Only a store that lost acknowledged writes lets two such tokens come to be.
    pub fn knows_another(&self, rotation: &Rotation) -> bool {
        let minted = if self.token.generation == rotation.presented {
            Some(self.token.issued_at)
        } else if self.token.generation == rotation.presented.next() {
            self.parent_issued_at
        } else {
            None
        };
        minted.is_some_and(|issued_at| issued_at != rotation.presented_issued_at)
    }
}

/// What happens when reuse of a token is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReusePolicy {
    /// End the session.
    #[default]
    Revoke,
    /// Refuse the token, raise the event, and keep the session.
    Reject,
}

/// The windows in which a client can repeat a refresh whose answer it lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long after a rotation a retry is free.
    pub retry_free: Duration,
    /// How long after a rotation a late retry is possible; zero allows none.
    pub retry_window: Duration,
    /// The same for a session that is bound to its device.
    pub bound_retry_window: Duration,
    /// The most generations in a row that may be retried late.
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

/// The device credential that came with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceProof {
    /// The device that the session belongs to.
    pub owner: DeviceId,
    /// The device whose credential was shown and verified, if one was.
    pub shown: Option<DeviceId>,
    /// Whether the session is bound, by the token's claim or by the session's row.
    pub bound: bool,
}

impl DeviceProof {
    /// Whether this proof is enough. A credential of another device never is; none at all is enough for a session that is not
    /// bound.
    pub fn satisfies(&self, entry: Option<&Entry>) -> bool {
        match self.shown {
            Some(shown) => shown == self.owner,
            None => !self.bound && entry.is_none_or(|entry| entry.token.device.is_none()),
        }
    }
}

/// One attempt to refresh, as a store gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The account.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The generation of the token that was presented.
    pub presented: Generation,
    /// The `iat` claim of the token that was presented, in whole seconds.
    pub presented_issued_at: Timestamp,
    /// Whether the presented token is past its `exp` on the replica's clock. This counts only for a token that would heal the
    /// store; the store's clock decides on all others.
    pub expired: bool,
    /// The `iat` of a successor.
    pub issued_at: Timestamp,
    /// The `exp` of a successor.
    pub expires_at: Timestamp,
    /// The session's epoch, from its row.
    pub epoch: Epoch,
    /// The device credential.
    pub device: DeviceProof,
    /// The windows of retries.
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

    /// The entry that replaces the one that was found.
    fn successor_entry(&self, now: Timestamp) -> Entry {
        Entry {
            parent_issued_at: Some(self.presented_issued_at),
            ..Entry::begin(self.successor(), self.epoch, now)
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
    /// The session is bound and its credential was not shown, or the credential is of another device. Nothing changed.
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
    /// The presented token had been replaced already; this is the same successor.
    Repeated {
        /// The successor.
        token: LiveToken,
        /// How long it has existed.
        age: Duration,
        /// Whether the retry came after the free window.
        late: bool,
    },
    /// An older token within the free window of a rotation: a concurrent request of the same client. Nothing changed.
    Stale,
    /// A replaced token outside of the windows: theft, or a client restored from a backup. Or another token than the one that was minted
    /// as its generation: after a roll-back of the store a chain has forked, and one of its holders is not the client.
    Reused {
        /// The live generation.
        live: Generation,
        /// How long it has existed.
        age: Duration,
        /// Whether the session ends: the entry is marked, and its token is not rotated any more.
        revoked: bool,
    },
}

/// The write that follows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Nothing.
    Keep,
    /// This entry in place of the old one.
    Put(Entry),
}

/// Applies one attempt to the entry of the session, at `now` on the store's clock: the first row of the table that fits. Device
/// check, Unknown, Reused if it was found before, Healed, Reused if another token had that generation, Rotated, Repeated, Stale, Reused.
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
        let next = rotation.successor_entry(now);
        return (
            RotationOutcome::Healed {
                token: next.token,
                lost: current,
            },
            Write::Put(next),
        );
    }
    if entry.knows_another(rotation) {
        return find_reuse(entry, rotation, now);
    }
    if current == rotation.presented {
        let next = Entry {
            late: if entry.charged { entry.late } else { 0 },
            ..rotation.successor_entry(now)
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
    find_reuse(entry, rotation, now)
}

/// Marks the entry, unless the policy keeps the session.
fn find_reuse(entry: &Entry, rotation: &Rotation, now: Timestamp) -> (RotationOutcome, Write) {
    let revoked = rotation.policy.reuse == ReusePolicy::Revoke;
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
