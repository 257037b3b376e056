//! The outbox in the hands of operators.

use crate::{
    deliveries::{Backlog, Delivery, DeliveryQuery},
    model::DeliveryId,
    ports::{Clock, Deliveries, StoreError},
};
use std::{sync::Arc, time::Duration};

/// Lists, retries, drops and prunes deliveries.
#[derive(Clone)]
pub struct ManageDeliveries {
    deliveries: Arc<dyn Deliveries>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
}

impl ManageDeliveries {
    /// Rows deleted per call at most, so that no transaction grows large.
    pub const BATCH: u32 = 1000;

    /// `max_age`: how long a delivery that is retried may be tried again.
    pub const fn new(
        deliveries: Arc<dyn Deliveries>,
        clock: Arc<dyn Clock>,
        max_age: Duration,
    ) -> Self {
        Self {
            deliveries,
            clock,
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
    pub async fn retry(&self, ids: &[DeliveryId]) -> Result<Vec<DeliveryId>, StoreError> {
        let now = self.clock.now();
        self.deliveries
            .retry(ids, now, now.plus(self.max_age))
            .await
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
