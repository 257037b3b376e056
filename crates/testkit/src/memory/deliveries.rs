//! The outbox in memory.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    deliveries::{Delivery, DeliveryState, KEPT, LeaseRequest, Settled},
    journal::{MailKind, NewMail},
    model::{DeliveryId, EmailAddress, ProofId, Timestamp, UserId},
    ports::{MailProof, MailProofs, StoreError},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Mutex,
};

/// Deliveries, a part of the user database.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) deliveries: BTreeMap<DeliveryId, Delivery>,
    /// Until when a mailbox of an account gets no notice of a kind.
    pub(super) quiet: HashMap<Notice, Timestamp>,
}

/// Account, kind and mailbox of a notice.
pub(super) type Notice = (UserId, MailKind, EmailAddress);

fn notice(mail: &NewMail) -> Option<Notice> {
    mail.user
        .filter(|_| mail.kind.is_notice())
        .map(|user| (user, mail.kind, mail.to.clone()))
}

impl Outbox {
    /// Inserts mails, as the commit of a change does.
    pub(super) fn commit(&mut self, at: Timestamp, mails: &[NewMail]) {
        for mail in mails {
            self.insert(at, mail);
        }
    }

    /// Makes those of these due that were tried and are not being sent.
    pub(super) fn retry(
        &mut self,
        ids: &[DeliveryId],
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Vec<DeliveryId> {
        let mut done = Vec::new();
        for row in self.deliveries.values_mut() {
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
        done
    }

    /// The account is deleted.
    pub(super) fn forget(&mut self, user: UserId) {
        self.deliveries
            .retain(|_, row| row.mail.user != Some(user) || row.state == DeliveryState::Waiting);
        self.quiet.retain(|(owner, ..), _| *owner != user);
    }

    fn insert(&mut self, at: Timestamp, mail: &NewMail) {
        let notice_of = notice(mail);
        let quiet = notice_of
            .as_ref()
            .and_then(|notice| self.quiet.get(notice).copied());
        let due_at = quiet.map_or(at, |until| until.max(at));
        let mut mail = mail.clone();
        mail.expires_at = mail.expires_at.plus(due_at.since(at));
        let untried = self
            .waiting(notice_of.as_ref())
            .find(|other| other.attempts == 0);
        if let Some(untried) = untried {
            untried.more += 1;
            untried.mail.expires_at = untried.mail.expires_at.max(mail.expires_at);
            return;
        }
        let id = mail.id;
        let behind = self
            .waiting(notice_of.as_ref())
            .map(|other| other.next_at)
            .max();
        let delivery = Delivery {
            mail,
            more: 0,
            state: DeliveryState::Waiting,
            created_at: at,
            due_at,
            next_at: behind.map_or(due_at, |next_at| next_at.max(due_at)),
            leased_until: None,
            attempts: 0,
            last_error: None,
        };
        self.deliveries.insert(id, delivery);
    }

    /// The notices of an account, kind and mailbox that wait.
    fn waiting(&mut self, notice_of: Option<&Notice>) -> impl Iterator<Item = &mut Delivery> {
        self.deliveries.values_mut().filter(move |row| {
            notice_of.is_some()
                && notice(&row.mail).as_ref() == notice_of
                && row.state == DeliveryState::Waiting
        })
    }

    fn may_be_leased(&self, delivery: &Delivery, at: Timestamp) -> bool {
        let Some(notice_of) = notice(&delivery.mail) else {
            return true;
        };
        let quiet = self.quiet.get(&notice_of).is_some_and(|until| *until > at);
        let younger = self.deliveries.values().any(|other| {
            notice(&other.mail).as_ref() == Some(&notice_of)
                && other.state == DeliveryState::Waiting
                && (other.created_at, other.mail.id) < (delivery.created_at, delivery.mail.id)
        });
        !quiet && !younger
    }

    pub(super) fn due(&self, request: &LeaseRequest) -> Vec<DeliveryId> {
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

    /// `is_nobodys`: the account is not there any more.
    pub(super) fn settle(
        &mut self,
        delivery: &Delivery,
        settled: &Settled,
        is_nobodys: bool,
    ) -> bool {
        let Some(row) = self.leased(delivery) else {
            if let Settled::Sent { at } = settled {
                self.sent(delivery, *at, is_nobodys);
            }
            return false;
        };
        match settled {
            Settled::Sent { at } => self.sent(delivery, *at, is_nobodys),
            Settled::Dropped => drop(self.deliveries.remove(&delivery.mail.id)),
            Settled::Again { at, error } => {
                unsent(row, DeliveryState::Waiting, *at, error);
                let notice_of = notice(&delivery.mail);
                let behind = self.waiting(notice_of.as_ref());
                for row in behind.filter(|row| row.leased_until.is_none()) {
                    row.next_at = row.next_at.max(*at);
                }
            }
            Settled::GivenUp { .. } if is_nobodys => {
                drop(self.deliveries.remove(&delivery.mail.id));
            }
            Settled::GivenUp { at, error } => {
                unsent(row, DeliveryState::GivenUp, at.plus(KEPT), error);
            }
        }
        true
    }

    fn sent(&mut self, delivery: &Delivery, at: Timestamp, is_nobodys: bool) {
        let gone = self.deliveries.remove(&delivery.mail.id);
        let gone = gone.filter(|_| !is_nobodys);
        let (Some(notice_of), Some(interval)) = (
            gone.and_then(|gone| notice(&gone.mail)),
            delivery.mail.kind.least_interval(),
        ) else {
            return;
        };
        let until = at.plus(interval);
        let known = self.quiet.entry(notice_of.clone()).or_insert(until);
        *known = until.max(*known);
        let held = self.waiting(Some(&notice_of));
        for held in held.filter(|held| held.leased_until.is_none()) {
            let paused = held.due_at.max(until).since(held.due_at);
            held.mail.expires_at = held.mail.expires_at.plus(paused);
            held.due_at = held.due_at.max(until);
            held.next_at = held.next_at.max(until);
        }
    }
}

fn unsent(row: &mut Delivery, state: DeliveryState, next_at: Timestamp, error: &str) {
    row.state = state;
    row.next_at = next_at;
    row.leased_until = None;
    row.last_error = Some(error.to_owned());
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
    async fn open(
        &self,
        proof: ProofId,
        _: &EmailAddress,
    ) -> Result<Option<MailProof>, StoreError> {
        Ok((!lock(&self.void).contains(&proof)).then(|| MailProof {
            id: proof,
            code: "271828".into(),
            secret: proof.to_string().into(),
            expires_at: Timestamp::from_millis(i64::MAX),
        }))
    }
}
