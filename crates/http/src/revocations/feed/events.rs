//! Ends and outdated accounts on this replica are told to the feed at once, since it hears of every security event anyway.

use super::Demand;
use revolve_domain::ports::{SecurityEvent, SecurityEvents};
use std::sync::Arc;

/// Notices what the feed tells, and hands all events on.
pub struct EndNotices<E> {
    demand: Arc<Demand>,
    next: E,
}

impl<E> EndNotices<E> {
    /// Tells the feed by `demand` and passes events to `next`.
    pub fn new(demand: Arc<Demand>, next: E) -> Self {
        Self { demand, next }
    }
}

impl<E: SecurityEvents> SecurityEvents for EndNotices<E> {
    fn record(&self, event: SecurityEvent) {
        use SecurityEvent as E;
        if matches!(
            event,
            E::SessionEnded { .. }
                | E::SessionsEnded { .. }
                | E::AccountDeleted { .. }
                // By an operator.
                | E::AccountChanged { session: None, .. }
                | E::EmailChanged { session: None, .. }
        ) {
            self.demand.notice();
        }
        self.next.record(event);
    }
}
