//! The outbox.

use super::MemoryAccounts;
use async_trait::async_trait;
use revolve_domain::{
    deliveries::{Backlog, Delivery, DeliveryQuery, DeliveryState, LeaseRequest, Settled},
    journal::{NewMail, Tell},
    model::{DeliveryId, Timestamp},
    ports::{Deliveries, StoreError},
};

#[async_trait]
impl Deliveries for MemoryAccounts {
    async fn insert(&self, at: Timestamp, mails: &[NewMail]) -> Result<(), StoreError> {
        self.tables().outbox.commit(at, mails);
        Ok(())
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Vec<Delivery>, StoreError> {
        let mut tables = self.tables();
        let outbox = &mut tables.outbox;
        let mut leased = Vec::new();
        for id in outbox.due(request) {
            if let Some(row) = outbox.deliveries.get_mut(&id) {
                row.attempts += 1;
                row.leased_until = Some(request.until);
                row.next_at = request.until;
                leased.push(row.clone());
            }
        }
        Ok(leased)
    }

    async fn settle(
        &self,
        delivery: &Delivery,
        settled: &Settled,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.change(tell, |tables| {
            let owner = delivery.mail.user;
            let is_nobodys = owner.is_some_and(|owner| !tables.users.contains_key(&owner));
            tables.outbox.settle(delivery, settled, is_nobodys)
        })
    }

    async fn list(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        let tables = self.tables();
        let outbox = &tables.outbox;
        let mut list: Vec<Delivery> = outbox
            .deliveries
            .values()
            .filter(|row| query.state.is_none_or(|state| row.state == state))
            .cloned()
            .collect();
        list.sort_by_key(|row| (row.due_at, row.mail.id));
        list.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(list)
    }

    async fn find(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        Ok(self.tables().outbox.deliveries.get(&id).cloned())
    }

    async fn retry(
        &self,
        ids: &[DeliveryId],
        at: Timestamp,
        expires_at: Timestamp,
        tell: &Tell<Vec<DeliveryId>>,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        self.change(tell, |tables| tables.outbox.retry(ids, at, expires_at))
    }

    async fn remove(&self, ids: &[DeliveryId]) -> Result<Vec<DeliveryId>, StoreError> {
        let mut tables = self.tables();
        let outbox = &mut tables.outbox;
        let gone = |id: &&DeliveryId| outbox.deliveries.remove(*id).is_some();
        Ok(ids.iter().filter(gone).copied().collect())
    }

    async fn backlog(&self, at: Timestamp) -> Result<Backlog, StoreError> {
        let tables = self.tables();
        let outbox = &tables.outbox;
        let count = |state| {
            let rows = outbox.deliveries.values();
            rows.filter(|row| row.state == state).count() as u64
        };
        let waiting = outbox.deliveries.values();
        let waiting = waiting.filter(|row| row.state == DeliveryState::Waiting);
        Ok(Backlog {
            waiting: count(DeliveryState::Waiting),
            oldest_due: waiting.map(|row| row.due_at).min().filter(|due| *due <= at),
            given_up: count(DeliveryState::GivenUp),
        })
    }

    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut tables = self.tables();
        let outbox = &mut tables.outbox;
        let over = outbox.deliveries.values();
        let over = over.filter(|row| row.state == DeliveryState::GivenUp && row.next_at <= at);
        let over: Vec<_> = over.map(|row| row.mail.id).take(limit).collect();
        for id in &over {
            outbox.deliveries.remove(id);
        }
        let quiet = outbox.quiet.iter().filter(|(_, until)| **until <= at);
        let quiet: Vec<_> = quiet
            .map(|(notice, _)| notice.clone())
            .take(limit)
            .collect();
        for notice in &quiet {
            outbox.quiet.remove(notice);
        }
        Ok(over.len().max(quiet.len()) as u64)
    }
}
