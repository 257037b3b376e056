//! The outbox.

use super::{MailProof, StoreError};
use crate::{
    deliveries::{Backlog, Delivery, DeliveryQuery, LeaseRequest, Settled},
    journal::{NewMail, Tell},
    model::{DeliveryId, EmailAddress, ProofId, Timestamp},
};
use async_trait::async_trait;

/// The outbox in the user database. Changes of accounts, sessions and proofs insert mails in their own commit (see
/// [`Tell`](crate::journal::Tell)); this port has what happens to them from then on.
///
/// A mail is due from the time of its insertion. Of the notices ([`MailKind::is_notice`](crate::journal::MailKind::is_notice)) of an account
/// to a mailbox there is at most one of each kind that was never tried: another one MUST be counted in its `more`. It is due once the mailbox has
/// not been told of that kind for its [`least_interval`](crate::journal::MailKind::least_interval), however many replicas send. What it waits for
/// that MUST be added to the time until it expires, and one that counts others MUST NOT expire before any of them would. One that comes
/// behind a notice of its kind that waits MUST have a `next_at` no earlier than that one's, also when that one is tried again. Mails to a former
/// address of an account MUST NOT be counted in those to the present one, nor hold them up.
///
/// The contract suite is `revolve_testkit::contract::deliveries`.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Inserts mails on their own, for what changes nothing else. Ids MUST be new.
    async fn insert(&self, at: Timestamp, mails: &[NewMail]) -> Result<(), StoreError>;

    /// Leases deliveries that are due, in the order of their domains and within a domain by when they are tried next. MUST lease no more to a
    /// domain than [`Fairness::room`](crate::deliveries::Fairness::room), and MUST never give the same delivery to two callers while its lease
    /// lasts. A lease that has run out is due again. Of the notices of an account, kind and mailbox only the oldest is leased. Counts an attempt of
    /// each. MUST be cheap if nothing is due, and MUST NOT take longer for what is due to a domain that has no room.
    async fn lease(&self, request: &LeaseRequest) -> Result<Vec<Delivery>, StoreError>;

    /// Stores what became of a leased delivery. MUST answer `false` and change nothing if another lease has followed or the row is gone; a
    /// delivery that was sent is deleted in any case, and so is one that was given up if its account is not there any more. Sent notices
    /// begin the pause of their kind in the same commit, if their account is there: a deletion forgets its pauses, which have its addresses. What
    /// `tell` says of the outcome is committed with it.
    async fn settle(
        &self,
        delivery: &Delivery,
        settled: &Settled,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError>;

    /// Those that have been due for longest, first.
    async fn list(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, StoreError>;

    /// One of them.
    async fn find(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Makes those of these deliveries due now that were tried before and are not being sent, also given up ones. They may be sent until
    /// `expires_at` at least. Answers which they were, in any order.
    async fn retry(
        &self,
        ids: &[DeliveryId],
        at: Timestamp,
        expires_at: Timestamp,
        tell: &Tell<Vec<DeliveryId>>,
    ) -> Result<Vec<DeliveryId>, StoreError>;

    /// Deletes these deliveries. One that is being sent may still arrive. Answers which they were, in any order.
    async fn remove(&self, ids: &[DeliveryId]) -> Result<Vec<DeliveryId>, StoreError>;

    /// How full it is.
    async fn backlog(&self, at: Timestamp) -> Result<Backlog, StoreError>;

    /// Deletes up to `limit` given up deliveries whose time is over, and up to `limit` notes of pauses that are over. Answers the larger number.
    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// What mails prove, for those who send them.
#[async_trait]
pub trait MailProofs: Send + Sync {
    /// Code and link of a proof of that mailbox; `None` if it is spent, void or expired. MUST be `None` for another mailbox. MUST answer the same
    /// for the same proof as long as it stands.
    async fn open(
        &self,
        proof: ProofId,
        to: &EmailAddress,
    ) -> Result<Option<MailProof>, StoreError>;
}

/// Wakes whoever sends mail on this replica. Others find new mail within a second.
pub trait MailBell: Send + Sync {
    /// A mail was committed. MUST NOT block.
    fn ring(&self);
}

/// Wakes nobody, where mail is sent by other processes.
impl MailBell for () {
    fn ring(&self) {}
}
