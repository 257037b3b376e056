//! The contract of [`Webhooks`](revolve_domain::ports::Webhooks).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

use super::{
    WebhooksSubject,
    given::{START, at_once, event_id, label, random, secs},
};
use crate::untold;
use revolve_domain::{
    deliveries::{Backlog, KEPT},
    journal::{Actor, SecurityEvent, Tell},
    keys::SealedKey,
    model::{EventId, Timestamp, WebhookId},
    ports::{JournalCursor, JournalQuery, JournalRecord, Webhooks},
    webhooks::{
        DisabledReason, EventFilter, PreviousSecret, Webhook, WebhookDelivery, WebhookLease,
        WebhookOrder, WebhookSettled, WebhookUrl,
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
    added.expect("add works");
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

/// With all of its fields, those that may be missing included.
pub async fn a_webhook_reads_back_as_added(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let whole = Webhook {
        previous: Some(PreviousSecret {
            secret: SealedKey::new(vec![4]),
            until: at(9),
        }),
        disabled: Some(DisabledReason::Failing),
        failing_since: Some(at(7)),
        last_error: Some("it answered 500".to_owned()),
        version: 3,
        events: EventFilter::default(),
        ..webhook(1)
    };
    for webhook in [webhook(1), whole] {
        let from = JournalCursor::default();
        store
            .add(&webhook, from, &untold())
            .await
            .expect("add works");
        assert_eq!(find(&store, webhook.id).await, Some(webhook));
    }
}

/// Whole.
pub async fn webhooks_are_listed_oldest_first(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let (second, first) = (added(&store, 20).await, added(&store, 10).await);
    let listed = store.list().await.expect("list works");
    assert_eq!(listed, [first, second]);
}

/// Of many changes of one version.
pub async fn a_webhook_is_replaced_once_for_each_version(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    let calls = (0..8).map(|number| {
        let (store, name) = (store.clone(), label(&format!("name {number}")));
        let changed = Webhook {
            name,
            ..webhook.clone()
        };
        async move {
            store
                .replace(&changed, &untold())
                .await
                .expect("replace works")
        }
    });
    let replaced = at_once(calls).await;
    assert_eq!(replaced.iter().filter(|done| **done).count(), 1);
    let now = find(&store, webhook.id).await.expect("it is there");
    assert_eq!(now.version, 1);
    assert_ne!(now.name, webhook.name);
    assert!(
        !store
            .replace(&webhook, &untold())
            .await
            .expect("replace works"),
        "of before"
    );
    assert!(store.replace(&now, &untold()).await.expect("replace works"));
}

/// Nothing is left of it.
pub async fn a_removed_webhook_takes_along_what_is_on_its_way(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    let entry = on_its_way(subject, &webhook).await;
    for expected in [true, false] {
        let removed = store.remove(webhook.id, &untold()).await;
        assert_eq!(removed.expect("remove works"), expected);
    }
    assert_eq!(find(&store, webhook.id).await, None);
    ordered(&store, &[order(&webhook, entry.id, 0)]).await;
    assert_eq!(
        backlog(&store, &webhook).await,
        Backlog::default(),
        "nothing for nobody"
    );
}

/// Later ones leave it.
pub async fn the_first_webhook_sets_the_cursor(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    assert_eq!(store.cursor().await.expect("cursor works"), None);
    let place = |number| JournalCursor { commit: 5, number };
    for number in [7, 8] {
        let added = store.add(&webhook(1), place(number), &untold()).await;
        added.expect("add works");
        assert_eq!(store.cursor().await.expect("cursor works"), Some(place(7)));
    }
}

/// Only they order.
pub async fn a_cursor_is_moved_from_a_place_once(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    let mut orders = Vec::new();
    for _ in 0..8 {
        let entry = happened(subject).await;
        orders.push(order(&webhook, entry.id, 0));
    }
    let calls = orders.into_iter().zip(1..).map(|(order, number)| {
        let store = store.clone();
        async move {
            let to = JournalCursor { commit: 0, number };
            let moved = store.fan_out(JournalCursor::default(), to, &[order]).await;
            moved.expect("fan_out works").then_some(to)
        }
    });
    let moved: Vec<_> = at_once(calls).await.into_iter().flatten().collect();
    let [to] = moved[..] else { panic!("{moved:?}") };
    assert_eq!(store.cursor().await.expect("cursor works"), Some(to));
    assert_eq!(backlog(&store, &webhook).await.waiting, 1);
}

/// Whole, and scrubbed if the journal is.
pub async fn an_event_is_leased_as_the_journal_has_it(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    let entry = on_its_way(subject, &webhook).await;
    let expected = WebhookDelivery {
        webhook: webhook.id,
        event: entry,
        attempts: 1,
        expires_at: at(3600),
    };
    assert_eq!(lease_one(&store, &webhook, 0).await, expected);
}

/// While it waits; once it was given up it is.
pub async fn what_is_on_its_way_is_not_ordered_twice(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    let entry = on_its_way(subject, &webhook).await;
    let leased = lease_one(&store, &webhook, 0).await;
    let again = order(&webhook, entry.id, 1);
    ordered(&store, &[again]).await;
    assert_eq!(lease(&store, &webhook, 10, 2).await, []);
    settle(&store, &leased, &failed(None, NEVER), 3).await;
    assert_eq!(backlog(&store, &webhook).await.given_up, 1);
    ordered(&store, &[again]).await;
    assert_eq!(
        lease_one(&store, &webhook, 4).await.attempts,
        1,
        "as if new"
    );
}

/// However many ask at once.
pub async fn parallel_leases_share_events(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    for _ in 0..8 {
        on_its_way(subject, &webhook).await;
    }
    let calls = (0..8).map(|_| {
        let (store, webhook) = (store.clone(), webhook.clone());
        async move { lease(&store, &webhook, 3, 1).await }
    });
    let leased: Vec<_> = at_once(calls).await.into_iter().flatten().collect();
    let mut ids: Vec<_> = leased.iter().map(|one| one.event.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), leased.len(), "none twice");
    let rest = lease(&store, &webhook, 10, 1).await;
    assert_eq!(leased.len() + rest.len(), 8);
}

/// The others get theirs all the same.
pub async fn a_webhook_has_no_more_than_its_room(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let (one, other) = (added(&store, 1).await, added(&store, 2).await);
    for _ in 0..5 {
        on_its_way(subject, &one).await;
    }
    on_its_way(subject, &other).await;
    let request = WebhookLease {
        at: at(1),
        until: at(2),
        rooms: vec![(one.id, 2), (other.id, 4)],
    };
    let leased = store.lease(&request).await.expect("lease works");
    let of = |webhook: &Webhook| {
        leased
            .iter()
            .filter(|leased| leased.webhook == webhook.id)
            .count()
    };
    assert_eq!((of(&one), of(&other), leased.len()), (2, 1, 3));
}

/// What the first one says then counts no more, unless it was sent.
pub async fn a_lease_of_an_event_that_ran_out_is_due_again(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    on_its_way(subject, &webhook).await;
    let first = lease_one(&store, &webhook, 0).await;
    assert_eq!(lease(&store, &webhook, 10, LEASE - 1).await, []);
    let second = lease_one(&store, &webhook, LEASE).await;
    assert_eq!(second.attempts, 2);
    let ended = settle(&store, &first, &failed(None, at(9999)), LEASE + 1).await;
    assert_eq!(ended, None);
    assert_eq!(
        find(&store, webhook.id).await,
        Some(webhook.clone()),
        "untouched"
    );
    settle(&store, &first, &WebhookSettled::Sent, LEASE + 1).await;
    assert_eq!(backlog(&store, &webhook).await, Backlog::default());
}

/// And what failed before is forgotten.
pub async fn a_sent_event_is_gone_and_its_webhook_works(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    on_its_way(subject, &webhook).await;
    let leased = lease_one(&store, &webhook, 0).await;
    settle(&store, &leased, &failed(Some(10), NEVER), 1).await;
    let failing = find(&store, webhook.id).await.expect("it is there");
    assert_eq!(failing.failing_since, Some(at(1)));
    assert_eq!(failing.last_error.as_deref(), Some("it answered 500"));
    assert_eq!(lease(&store, &webhook, 10, 9).await, [], "it waits");
    let leased = lease_one(&store, &webhook, 10).await;
    settle(&store, &leased, &WebhookSettled::Sent, 11).await;
    assert_eq!(find(&store, webhook.id).await, Some(webhook.clone()));
    assert_eq!(backlog(&store, &webhook).await, Backlog::default());
}

/// It says nothing about the webhook.
pub async fn an_event_that_was_cut_off_is_due_at_once(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    on_its_way(subject, &webhook).await;
    let leased = lease_one(&store, &webhook, 0).await;
    settle(&store, &leased, &WebhookSettled::CutOff, 1).await;
    assert_eq!(find(&store, webhook.id).await, Some(webhook.clone()));
    assert_eq!(lease_one(&store, &webhook, 1).await.attempts, 2);
}

/// Once, and what is told of it is committed.
pub async fn a_webhook_that_fails_for_long_is_switched_off(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    let id = webhook.id;
    on_its_way(subject, &webhook).await;
    on_its_way(subject, &webhook).await;
    let leased = lease(&store, &webhook, 2, 0).await;
    let [first, second] = <[WebhookDelivery; 2]>::try_from(leased).expect("two are due");
    assert_eq!(
        settle(&store, &first, &failed(Some(10), at(0)), 5).await,
        None
    );
    let told = move |cause: &Option<DisabledReason>| {
        let event = cause.map(|cause| SecurityEvent::WebhookDisabled { webhook: id, cause });
        event.into_iter().collect::<Vec<_>>()
    };
    let tell = Tell::new(event_id(), at(6), Actor::System, told);
    let settled = failed(Some(10), at(5));
    let ended = store.settle(&second, &settled, at(6), &tell).await;
    assert_eq!(ended.expect("settle works"), Some(DisabledReason::Failing));
    let off = find(&store, id).await.expect("it is there");
    assert_eq!(
        (off.disabled, off.version),
        (Some(DisabledReason::Failing), 1)
    );
    let query = JournalQuery {
        limit: 100,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    let told = entries.iter().find(|entry| entry.id == tell.id);
    assert_eq!(told.expect("it is told").details["cause"], "failing");
    let first = lease(&store, &webhook, 1, 10).await.remove(0);
    assert_eq!(
        settle(&store, &first, &failed(Some(20), at(5)), 11).await,
        None,
        "once"
    );
}

/// Although it has only just failed.
pub async fn a_webhook_that_wants_no_more_is_switched_off(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    on_its_way(subject, &webhook).await;
    let leased = lease_one(&store, &webhook, 0).await;
    let gone = WebhookSettled::Gone {
        error: "it answered 410".to_owned(),
    };
    assert_eq!(
        settle(&store, &leased, &gone, 1).await,
        Some(DisabledReason::Gone)
    );
    let off = find(&store, webhook.id).await.expect("it is there");
    assert_eq!(off.disabled, Some(DisabledReason::Gone));
    assert_eq!(backlog(&store, &webhook).await.given_up, 1);
}

/// What was given up is kept for a while, what waits until it expires; neither is leased then.
pub async fn old_events_are_pruned(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    on_its_way(subject, &webhook).await;
    let given_up = lease_one(&store, &webhook, 0).await;
    settle(&store, &given_up, &failed(None, NEVER), 0).await;
    let after = find(&store, webhook.id).await.expect("it is there");
    assert_eq!(
        after.failing_since, None,
        "it says nothing about what comes later"
    );
    on_its_way(subject, &webhook).await;
    let prune = async |at| store.prune(at, 100).await.expect("prune works");
    assert_eq!(prune(at(3599)).await, 0);
    assert_eq!(
        lease(&store, &webhook, 10, 3600).await,
        [],
        "it has expired"
    );
    assert_eq!(prune(at(3600)).await, 1);
    assert_eq!(backlog(&store, &webhook).await.given_up, 1);
    assert_eq!(prune(at(0).plus(KEPT)).await, 1);
    assert_eq!(backlog(&store, &webhook).await, Backlog::default());
}

/// Of each.
pub async fn backlogs_say_what_waits_and_since_when(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let (one, other) = (added(&store, 1).await, added(&store, 2).await);
    for seconds in [5, 3, 4] {
        let entry = happened(subject).await;
        ordered(&store, &[order(&one, entry.id, seconds)]).await;
    }
    let expected = Backlog {
        waiting: 3,
        oldest_due: Some(at(3)),
        given_up: 0,
    };
    assert_eq!(backlog(&store, &one).await, expected);
    assert_eq!(backlog(&store, &other).await, Backlog::default());
}
