//! The outbox in memory.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    deliveries::{Backlog, Delivery, DeliveryQuery, DeliveryState, KEPT, LeaseRequest, Settled},
    journal::{MailKind, NewMail},
    model::{DeliveryId, ProofId, Timestamp, UserId},
    ports::{Deliveries, MailProof, MailProofs, StoreError},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Mutex,
};

/// Deliveries behind one lock, so that every method is one commit.
#[derive(Debug, Default)]
pub struct MemoryDeliveries {
    outbox: Mutex<Outbox>,
}

#[derive(Debug, Default)]
struct Outbox {
    deliveries: BTreeMap<DeliveryId, Delivery>,
    /// Until when an account gets no notice of a kind.
    quiet: HashMap<(UserId, MailKind), Timestamp>,
}

impl MemoryDeliveries {
    /// Inserts mails, as the commit of a change does.
    pub fn commit(&self, at: Timestamp, mails: &[NewMail]) {
        let mut outbox = lock(&self.outbox);
        for mail in mails {
            outbox.insert(at, mail);
        }
    }
}

/// Account and kind of a notice.
fn notice(mail: &NewMail) -> Option<(UserId, MailKind)> {
    mail.user
        .filter(|_| mail.kind.is_notice())
        .map(|user| (user, mail.kind))
}

impl Outbox {
    fn insert(&mut self, at: Timestamp, mail: &NewMail) {
        let notice_of = notice(mail);
        let untried = self.deliveries.values_mut().find(|other| {
            notice_of.is_some()
                && notice(&other.mail) == notice_of
                && other.state == DeliveryState::Waiting
                && other.attempts == 0
        });
        if let Some(untried) = untried {
            untried.more += 1;
            return;
        }
        let quiet = notice_of.and_then(|notice| self.quiet.get(&notice).copied());
        let due_at = quiet.map_or(at, |until| until.max(at));
        let delivery = Delivery {
            mail: mail.clone(),
            more: 0,
            state: DeliveryState::Waiting,
            created_at: at,
            due_at,
            next_at: due_at,
            leased_until: None,
            attempts: 0,
            last_error: None,
        };
        self.deliveries.insert(mail.id, delivery);
    }

    fn may_be_leased(&self, delivery: &Delivery, at: Timestamp) -> bool {
        let Some(notice_of) = notice(&delivery.mail) else {
            return true;
        };
        let quiet = self.quiet.get(&notice_of).is_some_and(|until| *until > at);
        let younger = self.deliveries.values().any(|other| {
            notice(&other.mail) == Some(notice_of)
                && other.state == DeliveryState::Waiting
                && (other.created_at, other.mail.id) < (delivery.created_at, delivery.mail.id)
        });
        !quiet && !younger
    }

    fn due(&self, request: &LeaseRequest) -> Vec<DeliveryId> {
        let mut due: Vec<&Delivery> = self
            .deliveries
            .values()
            .filter(|delivery| {
                delivery.state == DeliveryState::Waiting
                    && delivery.next_at <= request.at
                    && delivery.mail.to.domain() > request.after.as_str()
                    && self.may_be_leased(delivery, request.at)
            })
            .collect();
        due.sort_by_key(|delivery| (delivery.mail.to.domain(), delivery.next_at));
        let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
        due.retain(|delivery| {
            let domain = delivery.mail.to.domain();
            let place = taken.entry(domain).or_default();
            *place += 1;
            *place <= request.fairness.room(domain)
        });
        due.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
        due.iter().map(|delivery| delivery.mail.id).collect()
    }

    fn leased(&mut self, delivery: &Delivery) -> Option<&mut Delivery> {
        self.deliveries
            .get_mut(&delivery.mail.id)
            .filter(|row| row.attempts == delivery.attempts && row.leased_until.is_some())
    }

    fn settle(&mut self, delivery: &Delivery, settled: &Settled) -> bool {
        let Some(row) = self.leased(delivery) else {
            if let Settled::Sent { at } = settled {
                self.sent(delivery, *at);
            }
            return false;
        };
        match settled {
            Settled::Sent { at } => self.sent(delivery, *at),
            Settled::Dropped => drop(self.deliveries.remove(&delivery.mail.id)),
            Settled::Again { at, error } => unsent(row, DeliveryState::Waiting, *at, error),
            Settled::GivenUp { at, error } => {
                unsent(row, DeliveryState::GivenUp, at.plus(KEPT), error);
            }
        }
        true
    }

    fn sent(&mut self, delivery: &Delivery, at: Timestamp) {
        let gone = self.deliveries.remove(&delivery.mail.id);
        let (Some(notice_of), Some(quiet)) = (
            gone.and_then(|gone| notice(&gone.mail)),
            delivery.mail.kind.quiet(),
        ) else {
            return;
        };
        let until = at.plus(quiet);
        let known = self.quiet.entry(notice_of).or_insert(until);
        *known = until.max(*known);
        for held in self.deliveries.values_mut() {
            if notice(&held.mail) == Some(notice_of)
                && held.state == DeliveryState::Waiting
                && held.leased_until.is_none()
            {
                held.due_at = held.due_at.max(until);
                held.next_at = held.next_at.max(until);
            }
        }
    }
}

fn unsent(row: &mut Delivery, state: DeliveryState, next_at: Timestamp, error: &str) {
    row.state = state;
    row.next_at = next_at;
    row.leased_until = None;
    row.last_error = Some(error.to_owned());
}

#[async_trait]
impl Deliveries for MemoryDeliveries {
    async fn insert(&self, at: Timestamp, mails: &[NewMail]) -> Result<(), StoreError> {
        self.commit(at, mails);
        Ok(())
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Vec<Delivery>, StoreError> {
        let mut outbox = lock(&self.outbox);
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

    async fn settle(&self, delivery: &Delivery, settled: &Settled) -> Result<bool, StoreError> {
        Ok(lock(&self.outbox).settle(delivery, settled))
    }

    async fn list(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        let outbox = lock(&self.outbox);
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
        Ok(lock(&self.outbox).deliveries.get(&id).cloned())
    }

    async fn retry(
        &self,
        ids: &[DeliveryId],
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let mut outbox = lock(&self.outbox);
        let mut done = Vec::new();
        for row in outbox.deliveries.values_mut() {
            let is_sent = row.leased_until.is_some_and(|until| until > at);
            if !ids.contains(&row.mail.id) || row.attempts == 0 || is_sent {
                continue;
            }
            if row.state == DeliveryState::GivenUp {
                row.due_at = at;
            }
            row.state = DeliveryState::Waiting;
            row.next_at = at;
            row.leased_until = None;
            row.mail.expires_at = row.mail.expires_at.max(expires_at);
            done.push(row.mail.id);
        }
        Ok(done)
    }

    async fn remove(&self, ids: &[DeliveryId]) -> Result<Vec<DeliveryId>, StoreError> {
        let mut outbox = lock(&self.outbox);
        let gone = |id: &&DeliveryId| outbox.deliveries.remove(*id).is_some();
        Ok(ids.iter().filter(gone).copied().collect())
    }

    async fn backlog(&self, at: Timestamp) -> Result<Backlog, StoreError> {
        let outbox = lock(&self.outbox);
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
        let mut outbox = lock(&self.outbox);
        let over = outbox.deliveries.values();
        let over = over.filter(|row| row.state == DeliveryState::GivenUp && row.next_at <= at);
        let over: Vec<_> = over.map(|row| row.mail.id).take(limit).collect();
        for id in &over {
            outbox.deliveries.remove(id);
        }
        let quiet = outbox.quiet.iter().filter(|(_, until)| **until <= at);
        let quiet: Vec<_> = quiet.map(|(notice, _)| *notice).take(limit).collect();
        for notice in &quiet {
            outbox.quiet.remove(notice);
        }
        Ok(over.len().max(quiet.len()) as u64)
    }
}

/// Proofs that all stand but for those that a test has voided. Code and link of each are made of its id.
#[derive(Debug, Default)]
pub struct TestProofs {
    void: Mutex<BTreeSet<ProofId>>,
}

impl TestProofs {
    /// Voids a proof.
    pub fn void(&self, proof: ProofId) {
        lock(&self.void).insert(proof);
    }
}

#[async_trait]
impl MailProofs for TestProofs {
    async fn open(&self, proof: ProofId) -> Result<Option<MailProof>, StoreError> {
        Ok((!lock(&self.void).contains(&proof)).then(|| MailProof {
            id: proof,
            code: "271828".into(),
            secret: proof.to_string().into(),
            expires_at: Timestamp::from_millis(i64::MAX),
        }))
    }
}
