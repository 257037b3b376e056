//! Events reach the endpoints of operators' programs.

mod failing;

use super::{DAY, secs};
use revolve_domain::{
    journal::Actor,
    model::{EmailAddress, EventId, Label, Timestamp, WebhookId},
    ports::{Clock, Journal, JournalRecord, TargetRefused, Webhooks},
    use_cases::{
        CreatedWebhook, ManageWebhooks, NewWebhook, SendWebhooks, WebhookChange, WebhookPolicy,
        WebhookPorts, WebhookRefused,
    },
    webhooks::{DisabledReason, EventFilter, WebhookUrl},
};
use revolve_testkit::{
    World,
    memory::{PlainWebhookSecrets, RecordedCall, RecordedCalls},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

struct Hooks {
    world: World,
    endpoint: Arc<RecordedCalls>,
    secrets: Arc<PlainWebhookSecrets>,
    manage: ManageWebhooks,
    send: SendWebhooks,
}

impl Hooks {
    fn new() -> Self {
        let world = World::new();
        let endpoint = Arc::new(RecordedCalls::default());
        let secrets = Arc::new(PlainWebhookSecrets::default());
        let ports = WebhookPorts {
            webhooks: world.accounts.clone(),
            journal: world.accounts.clone(),
            secrets: secrets.clone(),
            sender: endpoint.clone(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            events: world.events.clone(),
            max_age: 3 * DAY,
        };
        let ops = EmailAddress::parse("ops@example.org").expect("an address");
        let policy = WebhookPolicy {
            disable_after: DAY,
            lease: secs(40),
            notify: Some((ops, DAY)),
        };
        Self {
            manage: ManageWebhooks::new(ports.clone()),
            send: SendWebhooks::new(ports, policy),
            world,
            endpoint,
            secrets,
        }
    }

    async fn webhook(&self, host: &str, events: &[&str]) -> CreatedWebhook {
        let new = NewWebhook {
            name: Label::parse(host).expect("a name"),
            url: WebhookUrl::parse(&format!("https://{host}/")).expect("a URL"),
            events: EventFilter::parse(events.iter().copied()).expect("a filter"),
        };
        let created = self.manage.create(new, Actor::Operator).await;
        created.expect("it is made")
    }

    /// One that asked for new accounts.
    async fn of_new_accounts(&self, host: &str) -> WebhookId {
        self.webhook(host, &["account.created"]).await.webhook.id
    }

    /// What a replica does in a second.
    async fn work(&self) {
        while self.send.fan_out().await.expect("the store works") {}
        loop {
            let leased = self.send.lease(&HashMap::new()).await.expect("it works");
            if leased.is_empty() {
                return;
            }
            for delivery in leased {
                let settled = self.send.attempt(&delivery).await.expect("it works");
                let settled = settled.expect("the webhook is there");
                self.send
                    .settle(&delivery, &settled)
                    .await
                    .expect("it works");
            }
        }
    }

    /// Sends what happened from then on once more; answers how many events.
    async fn replay(&self, id: WebhookId, from: Timestamp) -> usize {
        let now = self.world.clock.now();
        let replayed = self.manage.replay(id, from, now, Actor::Operator).await;
        self.work().await;
        replayed.expect("it is active")
    }

    fn answer(&self, status: u16) {
        self.endpoint.answer(status);
    }

    /// Which hosts were sent which events since the last time.
    fn calls(&self) -> Vec<(String, String)> {
        let calls = self.endpoint.take().into_iter();
        calls.map(|call| (call.host, call.event)).collect()
    }

    async fn disabled(&self, id: WebhookId) -> Option<DisabledReason> {
        self.manage.find(id).await.expect("it is there").disabled
    }
}

fn call(host: &str, event: &str) -> (String, String) {
    (host.to_owned(), event.to_owned())
}

#[tokio::test]
async fn each_webhook_gets_what_it_asked_for_from_then_on() {
    let hooks = Hooks::new();
    hooks.world.signed_up("before").await;
    hooks.world.advance(secs(1));
    hooks.webhook("one.example", &["account.*"]).await;
    hooks.webhook("other.example", &["session.begun"]).await;
    hooks.work().await;
    hooks.calls();
    hooks.world.signed_up("ann").await;
    hooks.work().await;
    assert_eq!(hooks.calls(), [call("one.example", "account.created")]);
    hooks.work().await;
    assert_eq!(hooks.calls(), [], "once");
}

#[tokio::test]
async fn both_secrets_sign_for_a_day_after_a_rotation() {
    let hooks = Hooks::new();
    let id = hooks.of_new_accounts("one.example").await;
    let signatures = async |name: &str| {
        hooks.world.signed_up(name).await;
        hooks.work().await;
        hooks.endpoint.take()[0].secrets
    };
    assert_eq!(signatures("a").await, 1);
    hooks
        .manage
        .rotate(id, Actor::Operator)
        .await
        .expect("it is there");
    assert_eq!(signatures("b").await, 2);
    // The key changes meanwhile.
    hooks.secrets.change_master();
    let resealed = hooks.manage.reseal(Actor::Operator).await;
    assert_eq!(resealed.expect("it works"), [id]);
    let again = hooks.manage.reseal(Actor::Operator).await;
    assert_eq!(again.expect("it works"), []);
    assert_eq!(signatures("c").await, 2);
    hooks.world.advance(DAY);
    assert_eq!(signatures("d").await, 1);
}

#[tokio::test]
async fn a_test_reaches_its_webhook_whatever_the_filter() {
    let hooks = Hooks::new();
    let id = hooks.of_new_accounts("one.example").await;
    hooks.of_new_accounts("other.example").await;
    let event = hooks
        .manage
        .test(id, Actor::Operator)
        .await
        .expect("it is sent");
    hooks.work().await;
    let calls = hooks.endpoint.take();
    let expected = RecordedCall {
        host: "one.example".to_owned(),
        event: "webhook.tested".to_owned(),
        id: event.to_string(),
        secrets: 1,
    };
    assert_eq!(calls, [expected]);
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let hooks = Hooks::new();
    let http = WebhookUrl::parse("http://one.example").expect("a URL");
    let new = NewWebhook {
        name: Label::parse("crm").expect("a name"),
        url: http.clone(),
        events: EventFilter::default(),
    };
    let refused = hooks.manage.create(new, Actor::Operator).await;
    assert!(matches!(
        refused,
        Err(WebhookRefused::Target(TargetRefused::Unencrypted))
    ));
    assert!(hooks.manage.list().await.expect("it works").is_empty());
    let webhook = hooks.webhook("one.example", &[]).await.webhook;
    let change = WebhookChange {
        url: Some(http),
        ..WebhookChange::default()
    };
    let refused = hooks
        .manage
        .change(webhook.id, &change, Actor::Operator)
        .await;
    assert!(matches!(refused, Err(WebhookRefused::Target(_))));
    assert_eq!(
        hooks.manage.find(webhook.id).await.expect("it is there"),
        webhook
    );
    let nobody = WebhookId::from_random([9; 16]);
    let refused = hooks.manage.remove(nobody, Actor::Operator).await;
    assert!(matches!(refused, Err(WebhookRefused::NotFound)));
}

#[tokio::test]
async fn while_there_is_no_webhook_the_cursor_does_not_fall_far_behind() {
    let hooks = Hooks::new();
    let id = hooks.webhook("one.example", &[]).await.webhook.id;
    hooks
        .manage
        .remove(id, Actor::Operator)
        .await
        .expect("it is there");
    let before = Webhooks::cursor(&*hooks.world.accounts)
        .await
        .expect("it works");
    let entry = |number| JournalRecord {
        id: EventId::from_random([7; 16]).derive(&format!("{number}")),
        at: hooks.world.clock.now(),
        actor: Actor::System,
        event: "account.created".to_owned(),
        user: None,
        session: None,
        address: None,
        session_address: None,
        device: None,
        details: BTreeMap::new(),
        count: 1,
    };
    let entries: Vec<_> = (0..1000).map(entry).collect();
    let noted = Journal::note(&*hooks.world.accounts, &entries).await;
    noted.expect("it works");
    hooks.work().await;
    let after = Webhooks::cursor(&*hooks.world.accounts)
        .await
        .expect("it works");
    assert!(after > before, "{after:?}");
    hooks.world.advance(secs(1));
    hooks.of_new_accounts("one.example").await;
    hooks.work().await;
    assert_eq!(hooks.calls(), [], "nothing from before");
}
