//! The contract of [`Webhooks`]: endpoints, events on their way to them, and what becomes of both.

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod endpoints;
mod lease;
mod settle;

pub use endpoints::*;
pub use lease::*;
pub use settle::*;

use super::{
    WebhooksSubject,
    given::{START, event_id, label, random, secs},
};
use crate::untold;
use revolve_domain::{
    deliveries::Backlog,
    journal::Actor,
    keys::SealedKey,
    model::{EventId, Timestamp, WebhookId},
    ports::{JournalCursor, JournalRecord, Webhooks},
    webhooks::{
        DisabledReason, EventFilter, Webhook, WebhookDelivery, WebhookLease, WebhookOrder,
        WebhookSettled, WebhookUrl,
    },
};
use std::{collections::BTreeMap, sync::Arc};

type Store = Arc<dyn Webhooks>;

/// How long leases of the cases last, in seconds.
const LEASE: u64 = 60;

/// Long ago: nothing has failed since then.
const NEVER: Timestamp = Timestamp::from_seconds(0);

fn at(seconds: u64) -> Timestamp {
    START.plus(secs(seconds))
}

fn webhook(made: u64) -> Webhook {
    Webhook {
        id: WebhookId::from_random(random()),
        name: label("crm"),
        url: WebhookUrl::parse("https://example.org/hooks?a=b").expect("a URL"),
        events: EventFilter::parse(["account.created", "session.*"]).expect("a filter"),
        secret: SealedKey::new(vec![1, 2, 3]),
        previous: None,
        disabled: None,
        created_at: at(made),
        since: at(made),
        failing_since: None,
        last_error: None,
        version: 0,
    }
}

async fn added(store: &Store, made: u64) -> Webhook {
    let webhook = webhook(made);
    let from = JournalCursor::default();
    let added = store.add(&webhook, from, &untold()).await;
    assert!(added.expect("add works"), "there is room");
    webhook
}

async fn find(store: &Store, id: WebhookId) -> Option<Webhook> {
    store.find(id).await.expect("find works")
}

/// An entry of the journal.
async fn happened(subject: &dyn WebhooksSubject) -> JournalRecord {
    let entry = JournalRecord {
        id: event_id(),
        at: at(0),
        actor: Actor::System,
        event: "session.reused".to_owned(),
        user: None,
        session: None,
        address: Some([192, 0, 2, 7].into()),
        session_address: None,
        device: Some(label("a device")),
        details: BTreeMap::from([("live".to_owned(), "3".to_owned())]),
        count: 2,
    };
    let noted = subject.journal().note(std::slice::from_ref(&entry)).await;
    noted.expect("note works");
    entry
}

fn order(webhook: &Webhook, event: EventId, seconds: u64) -> WebhookOrder {
    WebhookOrder {
        webhook: webhook.id,
        event,
        at: at(seconds),
        expires_at: at(3600),
    }
}

async fn ordered(store: &Store, orders: &[WebhookOrder]) {
    store.order(orders, &untold()).await.expect("order works");
}

/// An event on its way.
async fn on_its_way(subject: &dyn WebhooksSubject, webhook: &Webhook) -> JournalRecord {
    let entry = happened(subject).await;
    ordered(&subject.webhooks(), &[order(webhook, entry.id, 0)]).await;
    entry
}

async fn lease(store: &Store, webhook: &Webhook, room: u32, seconds: u64) -> Vec<WebhookDelivery> {
    let request = WebhookLease {
        at: at(seconds),
        until: at(seconds + LEASE),
        rooms: vec![(webhook.id, room)],
    };
    store.lease(&request).await.expect("lease works")
}

async fn lease_one(store: &Store, webhook: &Webhook, seconds: u64) -> WebhookDelivery {
    let leased = lease(store, webhook, 10, seconds).await;
    let [one] = <[WebhookDelivery; 1]>::try_from(leased).expect("one is due");
    one
}

async fn settle(
    store: &Store,
    delivery: &WebhookDelivery,
    settled: &WebhookSettled,
    seconds: u64,
) -> Option<DisabledReason> {
    store
        .settle(delivery, settled, at(seconds), &untold())
        .await
        .expect("settle works")
}

fn failed(next: Option<u64>, failing_since: Timestamp) -> WebhookSettled {
    WebhookSettled::Failed {
        error: "it answered 500".to_owned(),
        next_at: next.map(at),
        failing_since,
    }
}

async fn backlog(store: &Store, webhook: &Webhook) -> Backlog {
    let all = store.backlogs().await.expect("backlogs works");
    let own = all.into_iter().find(|(id, _)| *id == webhook.id);
    own.map(|(_, backlog)| backlog).unwrap_or_default()
}
