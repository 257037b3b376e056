//! Events are ordered and leased.

use super::{
    LEASE, NEVER, added, at, backlog, failed, find, happened, lease, lease_one, on_its_way, order,
    ordered, settle,
};
use crate::{
    contract::{
        WebhooksSubject,
        accounts::Accounts,
        given::{at_once, event_id},
    },
    untold,
};
use revolve_domain::{
    deliveries::Backlog,
    ports::{JournalCursor, JournalRecord},
    webhooks::{Webhook, WebhookDelivery, WebhookLease, WebhookSettled},
};

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
        event: entry.clone(),
        attempts: 1,
        expires_at: at(3600),
    };
    assert_eq!(lease_one(&store, &webhook, 0).await, expected);

    let (user, _) = Accounts::new(subject).signed_up().await;
    let mut entry = JournalRecord {
        id: event_id(),
        user: Some(user.id),
        ..entry
    };
    let noted = subject.journal().note(std::slice::from_ref(&entry)).await;
    noted.expect("note works");
    ordered(&store, &[order(&webhook, entry.id, 0)]).await;
    let (users, tell) = (subject.users(), untold());
    let deleted = users.delete(user.id, None, at(1), &tell).await;
    assert!(deleted.expect("delete works"));
    entry.scrub();
    assert_eq!(lease_one(&store, &webhook, 2).await.event, entry);
}

/// While it is leased; once it was given up it is.
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

/// An endpoint that works again need not wait for the next attempt.
pub async fn what_waits_is_due_when_it_is_ordered_again(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    let entry = on_its_way(subject, &webhook).await;
    let leased = lease_one(&store, &webhook, 0).await;
    settle(&store, &leased, &failed(Some(600), NEVER), 1).await;
    assert_eq!(lease(&store, &webhook, 10, 2).await, [], "it waits");
    ordered(&store, &[order(&webhook, entry.id, 2)]).await;
    assert_eq!(backlog(&store, &webhook).await.waiting, 1);
    assert_eq!(
        lease_one(&store, &webhook, 2).await.attempts,
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
