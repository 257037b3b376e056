//! The steps of a history, and their random generation.

use super::super::given::secs;
use proptest::{collection::vec, option, prelude::*};
use revolve_domain::rotation::{RetryPolicy, ReusePolicy};
use std::time::Duration;

/// All times are multiples of this.
pub(super) const UNIT: Duration = secs(30);

/// How far a store's ages and times may be off: more than a slow store loses in a history, less than a [`UNIT`].
pub(super) const TOLERANCE: Duration = secs(20);

/// The number of sessions in a history.
pub(super) const SESSIONS: usize = 4;

/// A policy, and the steps under it.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) policy: RetryPolicy,
    pub(super) acts: Vec<HistoryStep>,
}

#[derive(Clone, Debug)]
pub(super) enum HistoryStep {
    /// The session begins, or begins again.
    Begin {
        session: usize,
        epoch: u32,
        bound: bool,
        long: bool,
        ceiling: usize,
    },
    /// A token is presented at this distance in generations from the live one: the newest of that generation that was handed out, or
    /// an older one if a roll-back let several come to be. If there is no live one, the session begins again, unless a token is
    /// presented `anyway`.
    Refresh {
        session: usize,
        from_live: i8,
        older: usize,
        epoch: u32,
        device: Device,
        expired: bool,
        long: bool,
        anyway: bool,
    },
    /// Sessions end.
    End { sessions: Vec<usize> },
    /// Older epochs end.
    EndOlder { epoch: u32, kept: Option<usize> },
    /// This many units of time pass.
    Pass { units: u32 },
    /// The store loses this many of its last writes of the session.
    RollBack { session: usize, writes: usize },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Device {
    /// Shown if the live token demands it.
    AsDemanded,
    NotShown,
    NotShownButBound,
    Shown,
    ShownAndBound,
    Foreign,
}

/// How long a token lives: as every window, it ends 25 s into a unit.
pub(super) fn life(long: bool) -> Duration {
    secs(if long { 7195 } else { 1195 })
}

pub(super) fn history() -> impl Strategy<Value = History> {
    (policy(), vec(act(), 1..60)).prop_map(|(policy, acts)| History { policy, acts })
}

fn policy() -> impl Strategy<Value = RetryPolicy> {
    let window = prop_oneof![8 => Just(595), 1 => Just(0)];
    let reuse = prop_oneof![2 => Just(ReusePolicy::Revoke), 1 => Just(ReusePolicy::Reject)];
    (window, 0..4_u32, reuse).prop_map(|(window, late_retries, reuse)| RetryPolicy {
        retry_free: secs(85),
        retry_window: secs(window),
        bound_retry_window: secs(if window == 0 { 0 } else { 3595 }),
        late_retries,
        reuse,
    })
}

fn act() -> impl Strategy<Value = HistoryStep> {
    let session = 0..SESSIONS;
    let few = prop_oneof![6 => Just(100_usize), 1 => 1..4_usize];
    let begin = (session.clone(), 0..3_u32, any::<bool>(), any::<bool>(), few).prop_map(
        |(session, epoch, bound, long, ceiling)| HistoryStep::Begin {
            session,
            epoch,
            bound,
            long,
            ceiling,
        },
    );
    let from_live = prop_oneof![8 => Just(0_i8), 8 => Just(-1), 2 => Just(-2), 1 => Just(-3), 2 => Just(1), 1 => Just(2)];
    let (seldom, mostly) = (prop::bool::weighted(0.1), prop::bool::weighted(0.9));
    let one = prop_oneof![3 => Just(0), 1 => session.clone()];
    let older = prop_oneof![2 => Just(0_usize), 1 => 1..3_usize];
    let which = (from_live, older);
    let refresh = (one, which, 0..3_u32, device(), seldom, mostly, seldom).prop_map(
        |(session, (from_live, older), epoch, device, expired, long, anyway)| {
            HistoryStep::Refresh {
                session,
                from_live,
                older,
                epoch,
                device,
                expired,
                long,
                anyway,
            }
        },
    );
    let units = prop_oneof![6 => 1..3_u32, 6 => 3..6_u32, 3 => Just(15), 2 => Just(30), 1 => Just(125), 1 => Just(250)];
    prop_oneof![
        4 => begin,
        24 => refresh,
        1 => vec(session.clone(), 0..3).prop_map(|sessions| HistoryStep::End { sessions }),
        1 => (0..4_u32, option::of(session.clone())).prop_map(|(epoch, kept)| HistoryStep::EndOlder { epoch, kept }),
        10 => units.prop_map(|units| HistoryStep::Pass { units }),
        4 => (session, 1..6_usize).prop_map(|(session, writes)| HistoryStep::RollBack { session, writes }),
    ]
}

fn device() -> impl Strategy<Value = Device> {
    prop_oneof![
        30 => Just(Device::AsDemanded),
        2 => Just(Device::NotShown),
        1 => Just(Device::NotShownButBound),
        4 => Just(Device::Shown),
        2 => Just(Device::ShownAndBound),
        1 => Just(Device::Foreign),
    ]
}
