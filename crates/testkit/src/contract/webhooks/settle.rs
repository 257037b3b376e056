//! What becomes of events, and of the endpoints that they were for.

use super::{
    NEVER, added, at, backlog, failed, find, happened, lease, lease_one, on_its_way, order,
    ordered, settle,
};
use crate::contract::{WebhooksSubject, given::event_id};
use revolve_domain::{
    deliveries::{Backlog, KEPT},
    journal::{Actor, SecurityEvent, Tell},
    ports::JournalQuery,
    webhooks::{DisabledReason, WebhookDelivery, WebhookSettled},
};

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

/// Also if it has failed for a time that is still to come by this replica's clock.
pub async fn a_webhook_that_wants_no_more_is_switched_off_whatever_the_clocks(
    subject: &dyn WebhooksSubject,
) {
    let store = subject.webhooks();
    let webhook = added(&store, 1).await;
    on_its_way(subject, &webhook).await;
    on_its_way(subject, &webhook).await;
    let leased = lease(&store, &webhook, 2, 0).await;
    let [first, second] = <[WebhookDelivery; 2]>::try_from(leased).expect("two are due");
    settle(&store, &first, &failed(Some(100), NEVER), 50).await;
    let gone = WebhookSettled::Gone {
        error: "it answered 410".to_owned(),
    };
    assert_eq!(
        settle(&store, &second, &gone, 49).await,
        Some(DisabledReason::Gone)
    );
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
