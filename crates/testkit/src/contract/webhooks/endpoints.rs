//! The endpoints themselves.

use super::{
    NEVER, added, at, backlog, failed, find, lease_one, on_its_way, order, ordered, settle, webhook,
};
use crate::{
    contract::{
        WebhooksSubject,
        given::{at_once, event_id, label},
    },
    untold,
};
use revolve_domain::{
    deliveries::Backlog,
    journal::{Actor, SecurityEvent, Tell},
    keys::SealedKey,
    ports::{JournalCursor, JournalQuery},
    webhooks::{DisabledReason, EventFilter, MOST, PreviousSecret, Webhook, WebhookSettled},
};

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
        let added = store.add(&webhook, from, &untold()).await;
        assert!(added.expect("add works"), "there is room");
        assert_eq!(find(&store, webhook.id).await, Some(webhook));
    }
}

/// Whoever else adds one at the same moment; a refusal changes nothing and tells nothing.
pub async fn there_are_never_more_than_the_most_webhooks(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    for number in 1..MOST {
        added(&store, number as u64).await;
    }
    let calls = (0..8).map(|_| {
        let (store, webhook) = (store.clone(), webhook(100));
        async move {
            let id = webhook.id;
            let told = move |is_added: &bool| {
                let event = is_added.then_some(SecurityEvent::WebhookCreated { webhook: id });
                event.into_iter().collect::<Vec<_>>()
            };
            let tell = Tell::new(event_id(), at(100), Actor::Operator, told);
            let added = store.add(&webhook, JournalCursor::default(), &tell).await;
            added.expect("add works").then_some(webhook)
        }
    });
    let added: Vec<_> = at_once(calls).await.into_iter().flatten().collect();
    let [last] = &added[..] else {
        panic!("{} were added for one place", added.len())
    };
    let listed = store.list().await.expect("list works");
    assert_eq!((listed.len(), listed.last()), (MOST, Some(last)));
    let query = JournalQuery {
        limit: 100,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    let told = entries
        .iter()
        .filter(|entry| entry.event == "webhook.created");
    assert_eq!(told.count(), 1);
    // One that goes leaves its place.
    let removed = store.remove(last.id, &untold()).await;
    assert!(removed.expect("remove works"));
    super::added(&store, 101).await;
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

/// Since it was read an event has failed, or was taken.
pub async fn a_change_of_a_webhook_leaves_what_is_known_of_failures(subject: &dyn WebhooksSubject) {
    let store = subject.webhooks();
    let works = added(&store, 1).await;
    on_its_way(subject, &works).await;
    let leased = lease_one(&store, &works, 0).await;
    settle(&store, &leased, &failed(Some(10), NEVER), 1).await;
    let replace = async |webhook: &Webhook| {
        let replaced = store.replace(webhook, &untold()).await;
        assert!(replaced.expect("replace works"), "its version is the same");
        find(&store, webhook.id).await.expect("it is there")
    };
    let failing = replace(&works).await;
    assert_eq!(failing.failing_since, Some(at(1)));
    assert_eq!(failing.last_error.as_deref(), Some("it answered 500"));
    let off = Webhook {
        disabled: Some(DisabledReason::Operator),
        ..failing.clone()
    };
    let off = replace(&off).await;
    assert_eq!(off.failing_since, Some(at(1)), "nor if it is switched off");
    let on = Webhook {
        disabled: None,
        ..off
    };
    let on = replace(&on).await;
    assert_eq!((on.failing_since, &on.last_error), (None, &None), "anew");

    let leased = lease_one(&store, &works, 10).await;
    settle(&store, &leased, &failed(Some(20), NEVER), 11).await;
    let failing = find(&store, works.id).await.expect("it is there");
    let leased = lease_one(&store, &works, 20).await;
    settle(&store, &leased, &WebhookSettled::Sent, 21).await;
    let works = replace(&failing).await;
    assert_eq!((works.failing_since, works.last_error), (None, None));
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
        assert!(added.expect("add works"), "there is room");
        assert_eq!(store.cursor().await.expect("cursor works"), Some(place(7)));
    }
}
