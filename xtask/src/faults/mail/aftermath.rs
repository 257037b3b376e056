//! What a fault leaves behind.

use std::time::Instant;

use super::{claims::Obstacle, orders::Order};

/// What a fault may have done to mails; nothing by default.
#[derive(Default)]
pub(in crate::faults) struct Aftermath<'a> {
    /// So many mails were taken before the service was killed, so that it may not know of them.
    pub(super) unsure: usize,
    /// Leases from before this moment may have no owner.
    pub(super) leases_lost: Option<Instant>,
    obstacle: Option<&'a dyn Fn(&Order) -> Obstacle>,
}

impl<'a> Aftermath<'a> {
    /// The service was killed when so many mails had been taken.
    pub(in crate::faults) fn of_a_kill(taken: usize, killed: Instant) -> Self {
        Self {
            unsure: taken,
            ..Self::of_lost_leases(killed)
        }
    }

    /// Leases were stored that the service does not know of.
    pub(in crate::faults) fn of_lost_leases(before: Instant) -> Self {
        Self {
            leases_lost: Some(before),
            ..Self::default()
        }
    }

    /// Some mails have obstacles.
    pub(in crate::faults) fn with_obstacles(obstacle: &'a dyn Fn(&Order) -> Obstacle) -> Self {
        Self {
            obstacle: Some(obstacle),
            ..Self::default()
        }
    }

    pub(super) fn obstacle(&self, order: &Order) -> Obstacle {
        self.obstacle
            .map_or(Obstacle::Nothing, |obstacle| obstacle(order))
    }
}
