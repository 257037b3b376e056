//! The outbox in the hands of operators.

use crate::{
    deliveries::{Backlog, Delivery, DeliveryQuery},
    journal::{Actor, SecurityEvent},
    model::DeliveryId,
    ports::{Clock, Deliveries, Entropy, SecurityEvents, StoreError},
    use_cases::parts::Recorder,
};
use std::{sync::Arc, time::Duration};

/// Lists, retries, drops and prunes deliveries.
#[derive(Clone)]
pub struct ManageDeliveries {
    deliveries: Arc<dyn Deliveries>,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
    max_age: Duration,
}

impl ManageDeliveries {
    /// Rows deleted per call at most, so that no transaction grows large.
    pub const BATCH: u32 = 1000;

    /// `max_age`: how long a delivery that is retried may be tried again.
    pub fn new(
        deliveries: Arc<dyn Deliveries>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        events: Arc<dyn SecurityEvents>,
        max_age: Duration,
    ) -> Self {
        Self {
            deliveries,
            clock,
            recorder: Recorder::with(entropy, events, None),
            max_age,
        }
    }

    /// Those that have been due for longest, first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        self.deliveries.list(query).await
    }

    /// One of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.deliveries.find(id).await
    }

    /// Makes deliveries due now. Answers those that were, in any order: one that is gone or being sent is not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retry(
        &self,
        ids: &[DeliveryId],
        actor: Actor,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let now = self.clock.now();
        let told = |done: &Vec<DeliveryId>| {
            let retried = done
                .iter()
                .map(|&delivery| SecurityEvent::MailRetried { delivery });
            retried.collect::<Vec<_>>()
        };
        let tell = self.recorder.tell(now, actor, told);
        let expires_at = now.plus(self.max_age);
        let done = self.deliveries.retry(ids, now, expires_at, &tell).await?;
        self.recorder.record(&tell, &done);
        Ok(done)
    }

    /// Deletes deliveries unsent. Answers those that were there, in any order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, ids: &[DeliveryId]) -> Result<Vec<DeliveryId>, StoreError> {
        self.deliveries.remove(ids).await
    }

    /// How full the outbox is, and how long the oldest due delivery has been due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn backlog(&self) -> Result<(Backlog, Duration), StoreError> {
        let now = self.clock.now();
        let backlog = self.deliveries.backlog(now).await?;
        let late = backlog
            .oldest_due
            .map_or(Duration::ZERO, |due| now.since(due));
        Ok((backlog, late))
    }

    /// Deletes one batch of what is not kept any longer. Answers its size.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prune(&self) -> Result<u64, StoreError> {
        self.deliveries.prune(self.clock.now(), Self::BATCH).await
    }
}
