//! What a replica is sending, and what it may begin beside it.

use super::{Delivery, Fairness, LeaseRequest};
use crate::model::{EmailAddress, Timestamp};
use std::{collections::VecDeque, time::Duration};

/// What the rate is counted over.
const SECOND: Duration = Duration::from_secs(1);

/// How much a replica sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    /// The most deliveries at once.
    pub slots: u32,
    /// The most of them to one domain.
    pub share: u32,
    /// The most that begin within a second.
    pub rate: u32,
    /// How long a lease lasts: longer than any attempt takes.
    pub lease: Duration,
}

/// The deliveries that a replica has leased and not settled. It leases no more than it begins to send at once, so that a delivery never waits in
/// a replica while another one is idle.
#[derive(Clone, Debug)]
pub struct InFlight {
    limits: SendLimits,
    fairness: Fairness,
    count: u32,
    /// When deliveries began within the last second.
    begun: VecDeque<Timestamp>,
    /// The domain that was served last: the next is the one after it.
    after: String,
}

impl InFlight {
    /// Nothing yet.
    pub fn new(limits: SendLimits) -> Self {
        Self {
            limits,
            fairness: Fairness {
                share: limits.share,
                ..Fairness::default()
            },
            count: 0,
            begun: VecDeque::new(),
            after: String::new(),
        }
    }

    /// How many are being sent.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How long the rate holds up the next one.
    pub fn wait(&mut self, at: Timestamp) -> Duration {
        self.forget(at);
        let begun = u32::try_from(self.begun.len()).unwrap_or(u32::MAX);
        match self.begun.front() {
            Some(first) if begun >= self.limits.rate => SECOND.saturating_sub(at.since(*first)),
            _ => Duration::ZERO,
        }
    }

    fn forget(&mut self, at: Timestamp) {
        // A clock that was set back must not stop everything.
        self.begun
            .retain(|begun| *begun <= at && at.since(*begun) < SECOND);
    }

    /// What may be leased now; `None` if nothing may.
    pub fn request(&mut self, at: Timestamp) -> Option<LeaseRequest> {
        self.forget(at);
        let begun = u32::try_from(self.begun.len()).unwrap_or(u32::MAX);
        let limit = self
            .limits
            .rate
            .saturating_sub(begun)
            .min(self.limits.slots.saturating_sub(self.count));
        (limit > 0).then(|| LeaseRequest {
            at,
            until: at.plus(self.limits.lease),
            limit,
            after: self.after.clone(),
            fairness: self.fairness.clone(),
        })
    }

    /// Counts what was leased. Answers whether to ask again at once: there may be more for which there is room.
    #[must_use]
    pub fn begin(&mut self, leased: &[Delivery], request: &LeaseRequest) -> bool {
        for delivery in leased {
            let domain = delivery.mail.to.domain().to_owned();
            *self.fairness.held.entry(domain).or_default() += 1;
            self.count += 1;
            // One that has expired is not sent.
            if delivery.mail.expires_at > request.at {
                self.begun.push_back(request.at);
            }
        }
        let full = u32::try_from(leased.len()).is_ok_and(|leased| leased >= request.limit);
        if let Some(last) = leased.last().filter(|_| full) {
            last.mail.to.domain().clone_into(&mut self.after);
            return true;
        }
        // The last domain was reached: those before are next, and if it began with the first one, all have been asked.
        self.after.clear();
        !request.after.is_empty()
    }

    /// A delivery is not being sent any more.
    pub fn end(&mut self, to: &EmailAddress) {
        self.count = self.count.saturating_sub(1);
        if let Some(held) = self.fairness.held.get_mut(to.domain()) {
            *held -= 1;
            if *held == 0 {
                self.fairness.held.remove(to.domain());
            }
        }
    }
}
