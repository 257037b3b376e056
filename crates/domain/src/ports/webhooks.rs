//! Webhooks: their store, their secrets, and what sends to them.

use super::{JournalCursor, JournalRecord, StoreError};
use crate::{
    deliveries::Backlog,
    journal::Tell,
    keys::SealedKey,
    model::{Timestamp, WebhookId},
    webhooks::{
        DisabledReason, Webhook, WebhookDelivery, WebhookLease, WebhookOrder, WebhookSettled,
        WebhookUrl,
    },
};
use async_trait::async_trait;
use secrecy::{SecretSlice, SecretString};
use std::{error::Error, net::IpAddr, time::Duration};

/// The endpoints, and what is on its way to them, in the user database beside the journal. The same guarantees as
/// [`super::UserRepository`].
///
/// The contract suite is `revolve_testkit::contract::webhooks`.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Adds an endpoint, whose id MUST be new. MUST answer `false` and change nothing where there are [`MOST`](crate::webhooks::MOST) already,
    /// however many add at once. Where no cursor is kept yet, `from` is kept.
    async fn add(
        &self,
        webhook: &Webhook,
        from: JournalCursor,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError>;

    /// Every endpoint, the oldest first.
    async fn list(&self) -> Result<Vec<Webhook>, StoreError>;

    /// One of them.
    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// Puts this in place of the endpoint of that id, and counts its version. MUST answer `false` and change nothing unless the version is
    /// that of the store. What the store knows of failures, which counts no version, MUST stay; it is forgotten where this enables the endpoint.
    async fn replace(&self, webhook: &Webhook, tell: &Tell<bool>) -> Result<bool, StoreError>;

    /// Deletes an endpoint with what is on its way to it. Answers whether it was there.
    async fn remove(&self, id: WebhookId, tell: &Tell<bool>) -> Result<bool, StoreError>;

    /// Up to where the journal was looked through; `None` if there was never an endpoint.
    async fn cursor(&self) -> Result<Option<JournalCursor>, StoreError>;

    /// Inserts deliveries as [`Webhooks::order`] does and moves the cursor, in one commit. MUST answer `false` and change nothing unless the
    /// cursor is `from`.
    async fn fan_out(
        &self,
        from: JournalCursor,
        to: JournalCursor,
        orders: &[WebhookOrder],
    ) -> Result<bool, StoreError>;

    /// Inserts deliveries, with what is told of it. What is leased stays as it is; what waits for another attempt or was
    /// given up is due again, as if new.
    async fn order(&self, orders: &[WebhookOrder], tell: &Tell<()>) -> Result<(), StoreError>;

    /// Leases deliveries that are due and have not expired, of each endpoint those that are tried next, up to its room. MUST never give the
    /// same one to two callers while its lease lasts; one that has run out is due again. Counts an attempt of each.
    async fn lease(&self, request: &WebhookLease) -> Result<Vec<WebhookDelivery>, StoreError>;

    /// Stores what became of a leased delivery, with what is told of it, and answers why the endpoint was switched off, if it was by this. MUST
    /// change nothing if another lease has followed or the row is gone, but that what was sent is deleted in any case. An endpoint that wants no
    /// more MUST be switched off whatever the store knows of failures.
    async fn settle(
        &self,
        delivery: &WebhookDelivery,
        settled: &WebhookSettled,
        at: Timestamp,
        tell: &Tell<Option<DisabledReason>>,
    ) -> Result<Option<DisabledReason>, StoreError>;

    /// What is on its way to each endpoint that has something. [`Backlog::oldest_due`] is when the oldest was ordered that waits.
    async fn backlogs(&self) -> Result<Vec<(WebhookId, Backlog)>, StoreError>;

    /// Deletes up to `limit` deliveries that have expired, or were given up and whose time is over. Answers how many.
    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// A secret that was just made.
#[derive(Debug)]
pub struct NewWebhookSecret {
    /// For the store.
    pub sealed: SealedKey,
    /// For the endpoint: `whsec_` and the bytes in base64 (Standard Webhooks 1.0). It is nowhere else.
    pub shown: SecretString,
}

/// A secret can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFault {
    /// The cryptographic library failed.
    #[error("a secret of a webhook could not be made")]
    NotMade(#[source] Box<dyn Error + Send + Sync>),
    /// It was sealed under another master key, or was tampered with.
    #[error(
        "the secret of webhook {0} was sealed under another master key than those that are configured"
    )]
    Sealed(WebhookId),
}

/// Makes secrets and seals them under the master key. What is sealed for one endpoint MUST NOT open as another's.
pub trait WebhookSecrets: Send + Sync {
    /// Makes one of 32 random bytes.
    ///
    /// # Errors
    /// [`SecretFault::NotMade`].
    fn make(&self, webhook: WebhookId) -> Result<NewWebhookSecret, SecretFault>;

    /// Its bytes.
    ///
    /// # Errors
    /// [`SecretFault::Sealed`].
    fn open(&self, webhook: WebhookId, sealed: &SealedKey) -> Result<SecretSlice<u8>, SecretFault>;

    /// The same under the present master key; `None` if it is already.
    ///
    /// # Errors
    /// [`SecretFault`].
    fn reseal(
        &self,
        webhook: WebhookId,
        sealed: &SealedKey,
    ) -> Result<Option<SealedKey>, SecretFault>;
}

/// An event on its way to an endpoint.
#[derive(Debug)]
pub struct WebhookCall<'a> {
    /// Where it goes.
    pub url: &'a WebhookUrl,
    /// What happened.
    pub event: &'a JournalRecord,
    /// Now, which is signed, too.
    pub at: Timestamp,
    /// What signs it; one signature each.
    pub secrets: Vec<SecretSlice<u8>>,
}

/// What an endpoint has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookReply {
    /// The status.
    pub status: u16,
    /// For how long it wants no further request (`Retry-After`, RFC 9110 §10.2.3), if it says so.
    pub retry_after: Option<Duration>,
}

/// An endpoint must not be connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetRefused {
    /// Its address is not public, and of no network that is allowed. What is told of it does not name the address, which may be one that only
    /// the service can find out.
    #[error("its address is not public, and webhooks.allow_private does not name its network")]
    Private(IpAddr),
    /// It is http, which is for networks that are allowed.
    #[error("http is for networks that webhooks.allow_private names: use https")]
    Unencrypted,
    /// There is no address of that name.
    #[error("its name has no address")]
    Unknown,
}

/// No answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing was connected to.
    #[error(transparent)]
    Target(#[from] TargetRefused),
    /// It could not be reached, or did not answer in time.
    #[error("it could not be reached")]
    Unanswered(#[source] Box<dyn Error + Send + Sync>),
}

/// Sends events to endpoints.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether the endpoint may be connected to, by its addresses of now.
    ///
    /// # Errors
    /// [`StoreError`] if those can't be found out.
    async fn check(&self, url: &WebhookUrl) -> Result<Result<(), TargetRefused>, StoreError>;

    /// Sends an event and answers what the endpoint says. MUST check the very addresses that it connects to, MUST NOT follow redirects, and
    /// MUST end in bounded time.
    ///
    /// # Errors
    /// [`CallError`].
    async fn send(&self, call: &WebhookCall<'_>) -> Result<WebhookReply, CallError>;
}
