//! Endpoints that fail, and what becomes of their events.

use super::{DAY, Hooks, call, secs};
use revolve_domain::{
    deliveries::DeliveryQuery,
    journal::{Actor, MailKind},
    ports::{Clock, Deliveries, Journal, JournalQuery, TargetRefused},
    use_cases::{WebhookChange, WebhookRefused},
    webhooks::{DisabledReason, SHARE, WebhookSettled, WebhookUrl},
};
use std::collections::HashMap;

#[tokio::test]
async fn an_event_is_tried_again_with_growing_pauses_and_the_same_id() {
    let hooks = Hooks::new();
    hooks.of_new_accounts("one.example").await;
    hooks.answer(503);
    hooks.world.signed_up("ann").await;
    for pause in [0, 40, 80, 160] {
        hooks.world.advance(secs(pause));
        hooks.work().await;
    }
    hooks.answer(200);
    hooks.world.advance(secs(320));
    hooks.work().await;
    let calls = hooks.endpoint.take();
    assert_eq!(calls.len(), 5);
    assert!(calls.iter().all(|call| *call == calls[0]), "{calls:?}");
}

#[tokio::test]
async fn a_webhook_that_is_busy_is_left_alone_for_as_long_as_it_asks() {
    for (status, asked, pause) in [
        (429, Some(secs(600)), 600),
        (503, Some(secs(600)), 600),
        // No longer than the longest pause, and no shorter than the pause that it would have had.
        (503, Some(30 * DAY), 3600),
        (429, Some(secs(1)), 30),
        (429, None, 30),
        // It means something else there, or nothing.
        (500, Some(secs(600)), 30),
        (301, Some(secs(600)), 30),
    ] {
        let hooks = Hooks::new();
        hooks.of_new_accounts("one.example").await;
        hooks.endpoint.reply(status, asked);
        hooks.world.signed_up("ann").await;
        hooks.work().await;
        hooks.answer(204);
        hooks.calls();
        hooks.world.advance(secs(pause - 1));
        hooks.work().await;
        assert_eq!(hooks.calls(), [], "{status} {asked:?}: too early");
        // A pause of the service's own is up to a third longer.
        hooks.world.advance(secs(11));
        hooks.work().await;
        let sent = [call("one.example", "account.created")];
        assert_eq!(hooks.calls(), sent, "{status} {asked:?}");
    }
}

#[tokio::test]
async fn what_was_leased_before_its_webhook_was_switched_off_is_not_sent() {
    let hooks = Hooks::new();
    let id = hooks.of_new_accounts("one.example").await;
    let switch = async |is_enabled| {
        let change = WebhookChange {
            enabled: Some(is_enabled),
            ..WebhookChange::default()
        };
        let changed = hooks.manage.change(id, &change, Actor::Operator).await;
        changed.expect("it is there");
    };
    hooks.world.signed_up("ann").await;
    hooks.send.fan_out().await.expect("the store works");
    let leased = hooks.send.lease(&HashMap::new()).await.expect("it works");
    switch(false).await;
    for delivery in &leased {
        let settled = hooks.send.attempt(delivery).await.expect("it works");
        assert_eq!(settled, Some(WebhookSettled::CutOff));
        let settled = hooks.send.settle(delivery, &WebhookSettled::CutOff).await;
        settled.expect("it works");
    }
    hooks.work().await;
    assert_eq!((leased.len(), hooks.calls()), (1, Vec::new()));
    switch(true).await;
    hooks.work().await;
    assert_eq!(hooks.calls(), [call("one.example", "account.created")]);
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_later_is_not_followed() {
    let hooks = Hooks::new();
    let id = hooks.of_new_accounts("one.example").await;
    let inside = TargetRefused::Private([10, 0, 0, 1].into());
    hooks.endpoint.refuse(inside);
    hooks.world.signed_up("ann").await;
    hooks.work().await;
    assert_eq!(hooks.calls(), [], "nothing was sent");
    let failing = hooks.manage.find(id).await.expect("it is there");
    let why = failing.last_error.expect("it failed");
    assert!(
        why.starts_with("not sent: its address is not public"),
        "{why}"
    );
    assert!(failing.failing_since.is_some() && failing.disabled.is_none());
    let backlog = hooks.manage.backlog(id).await.expect("it works");
    assert_eq!(backlog.waiting, 1, "it waits for a better address");

    // As any other failure: what lasts for a day ends it, which the journal tells.
    hooks.world.advance(DAY);
    hooks.work().await;
    assert_eq!(hooks.disabled(id).await, Some(DisabledReason::Failing));
    let query = JournalQuery {
        limit: 1,
        ..JournalQuery::default()
    };
    let told = Journal::read(&*hooks.world.accounts, &query).await;
    let told = told.expect("it works").remove(0);
    assert_eq!(
        (told.event.as_str(), told.details["cause"].as_str()),
        ("webhook.disabled", "failing")
    );
    assert_eq!(hooks.calls(), [], "nothing was sent");
}

#[tokio::test]
async fn a_webhook_that_is_down_holds_up_no_other() {
    let hooks = Hooks::new();
    hooks.of_new_accounts("broken.example").await;
    hooks.of_new_accounts("one.example").await;
    for number in 0..2 * SHARE {
        hooks.world.signed_up(&format!("ann{number}")).await;
    }
    hooks.send.fan_out().await.expect("the store works");
    let leased = hooks.send.lease(&HashMap::new()).await.expect("it works");
    assert_eq!(leased.len(), 2 * SHARE as usize, "each has its share");
    let broken = leased[0].webhook;
    let held = HashMap::from([(broken, SHARE)]);
    let more = hooks.send.lease(&held).await.expect("it works");
    assert!(more.iter().all(|one| one.webhook != broken) && !more.is_empty());
}

#[tokio::test]
async fn a_webhook_that_fails_for_a_day_is_switched_off_and_operators_are_told() {
    let hooks = Hooks::new();
    let id = hooks.of_new_accounts("broken.example").await;
    hooks.world.signed_up("ann").await;
    hooks.work().await;
    assert_eq!(hooks.disabled(id).await, None);
    hooks.world.advance(secs(23 * 3600));
    hooks.work().await;
    assert_eq!(hooks.disabled(id).await, None);
    hooks.world.advance(secs(2 * 3600));
    hooks.work().await;
    assert_eq!(hooks.disabled(id).await, Some(DisabledReason::Failing));
    let own = hooks.manage.backlog(id).await.expect("it works");
    let (all, _) = hooks.send.backlog().await.expect("it works");
    assert_eq!(
        (own.waiting, all.waiting),
        (1, 0),
        "it is on its way no more"
    );
    let query = DeliveryQuery {
        state: None,
        limit: 10,
    };
    let mails = Deliveries::list(&*hooks.world.accounts, query).await;
    let mails = mails.expect("the outbox is there");
    let told: Vec<_> = mails
        .iter()
        .map(|mail| (mail.mail.kind, mail.mail.to.as_str()))
        .collect();
    assert_eq!(told, [(MailKind::WebhookDisabled, "ops@example.org")]);
    hooks.calls();
    hooks.world.signed_up("bob").await;
    hooks.work().await;
    assert_eq!(hooks.calls(), [], "nothing is sent any more");

    hooks.world.advance(secs(1));
    // An operator mends it: what still waits goes on, what it missed is replayed.
    let mend = WebhookChange {
        enabled: Some(true),
        url: Some(WebhookUrl::parse("https://one.example").expect("a URL")),
        ..WebhookChange::default()
    };
    let mended = hooks.manage.change(id, &mend, Actor::Operator).await;
    assert_eq!(mended.expect("it is there").failing_since, None);
    hooks.world.advance(secs(3600));
    hooks.work().await;
    assert_eq!(
        hooks.calls(),
        [call("one.example", "account.created")],
        "Ann"
    );
    let from = hooks.world.clock.now().minus(DAY);
    assert_eq!(hooks.replay(id, from).await, 1);
    assert_eq!(
        hooks.calls(),
        [call("one.example", "account.created")],
        "Bob"
    );
}

#[tokio::test]
async fn a_replay_does_not_wait_for_the_next_attempt() {
    let hooks = Hooks::new();
    let id = hooks.of_new_accounts("one.example").await;
    hooks.answer(500);
    let from = hooks.world.clock.now();
    hooks.world.signed_up("ann").await;
    hooks.work().await;
    hooks.calls();
    hooks.answer(204);
    hooks.world.advance(secs(1));
    hooks.work().await;
    assert_eq!(hooks.calls(), [], "its pause is half a minute");
    assert_eq!(hooks.replay(id, from).await, 1);
    assert_eq!(hooks.calls(), [call("one.example", "account.created")]);
}

#[tokio::test]
async fn a_replay_of_no_time_is_refused() {
    let hooks = Hooks::new();
    let id = hooks.webhook("one.example", &[]).await.webhook.id;
    let now = hooks.world.clock.now();
    let soon = now.plus(secs(1));
    for (from, to) in [
        (now, now),
        (now, now.minus(secs(1))),
        (soon, soon.plus(DAY)),
    ] {
        let refused = hooks.manage.replay(id, from, to, Actor::Operator).await;
        assert!(
            matches!(refused, Err(WebhookRefused::NoTime)),
            "{refused:?}"
        );
    }
    let replayed = hooks.manage.replay(id, now, soon, Actor::Operator).await;
    assert!(replayed.is_ok(), "{replayed:?}");
}

#[tokio::test]
async fn a_webhook_that_answers_410_gets_no_more() {
    let hooks = Hooks::new();
    let id = hooks.of_new_accounts("one.example").await;
    hooks.answer(410);
    hooks.world.signed_up("ann").await;
    hooks.work().await;
    assert_eq!(hooks.disabled(id).await, Some(DisabledReason::Gone));
    let refused = hooks.manage.test(id, Actor::Operator).await;
    assert!(matches!(refused, Err(WebhookRefused::Disabled)));
}
