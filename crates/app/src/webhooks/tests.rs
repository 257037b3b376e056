use super::*;
use async_trait::async_trait;
use revolve_domain::{
    journal::Actor,
    model::{EventId, Label},
    ports::{
        CallError, Clock, Decorator, Journal, JournalRecord, PortFuture, StoreError, TargetRefused,
        WebhookCall, WebhookReply, WebhookSender,
    },
    use_cases::{ManageWebhooks, NewWebhook, WebhookPolicy, WebhookPorts},
    webhooks::{EventFilter, WebhookUrl},
};
use revolve_testkit::{
    World,
    memory::{Faulty, MemoryAccounts, PlainWebhookSecrets},
};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// A database one of whose operations takes its time.
struct Slow {
    accounts: Arc<Faulty<MemoryAccounts>>,
    operation: &'static str,
    takes: Duration,
}

impl Decorator for Slow {
    type Port = Faulty<MemoryAccounts>;

    async fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> Result<T, StoreError> {
        if operation == self.operation {
            time::sleep(self.takes).await;
        }
        work(self.accounts.as_ref()).await
    }
}

/// Endpoints that take everything: at once, or in a moment if their name says so.
struct Endpoints(mpsc::UnboundedSender<String>);

#[async_trait]
impl WebhookSender for Endpoints {
    async fn check(&self, _: &WebhookUrl) -> Result<Result<(), TargetRefused>, StoreError> {
        Ok(Ok(()))
    }

    async fn send(&self, call: &WebhookCall<'_>) -> Result<WebhookReply, CallError> {
        let host = call.url.authority();
        if host.starts_with("slow") {
            time::sleep(Duration::from_millis(30)).await;
        }
        self.0.send(host.to_owned()).expect("the test is there");
        Ok(WebhookReply {
            status: 204,
            retry_after: None,
        })
    }
}

struct Service {
    world: World,
    manage: ManageWebhooks,
    send: SendWebhooks,
    /// The endpoints that have taken something, in order.
    taken: mpsc::UnboundedReceiver<String>,
}

impl Service {
    fn new(operation: &'static str, takes: Duration) -> Self {
        let world = World::new();
        let slow = Arc::new(Slow {
            accounts: Arc::clone(&world.accounts),
            operation,
            takes,
        });
        let (sender, taken) = mpsc::unbounded_channel();
        let ports = WebhookPorts {
            webhooks: slow.clone(),
            journal: slow,
            secrets: Arc::new(PlainWebhookSecrets::default()),
            sender: Arc::new(Endpoints(sender)),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            events: world.events.clone(),
            max_age: Duration::from_hours(72),
        };
        let policy = WebhookPolicy {
            disable_after: Duration::from_hours(24),
            lease: Duration::from_secs(40),
            notify: None,
        };
        Self {
            manage: ManageWebhooks::new(ports.clone()),
            send: SendWebhooks::new(ports, policy),
            world,
            taken,
        }
    }

    async fn webhook(&self, host: &str, event: &str) {
        let new = NewWebhook {
            name: Label::parse(host).expect("a name"),
            url: WebhookUrl::parse(&format!("https://{host}/")).expect("a URL"),
            events: EventFilter::parse([event]).expect("a filter"),
        };
        let created = self.manage.create(new, Actor::Operator).await;
        created.expect("it is made");
    }

    /// Writes events of a name into the journal.
    async fn note(&self, event: &str, count: usize) {
        let entry = |number| JournalRecord {
            id: EventId::from_random([7; 16]).derive(&format!("{event} {number}")),
            at: self.world.clock.now(),
            actor: Actor::System,
            event: event.to_owned(),
            user: None,
            session: None,
            address: None,
            session_address: None,
            device: None,
            details: BTreeMap::new(),
            count: 1,
        };
        let entries: Vec<_> = (0..count).map(entry).collect();
        let noted = Journal::note(&*self.world.accounts, &entries).await;
        noted.expect("the store works");
    }

    fn run(&self, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
        let webhooks = Webhooks {
            send: self.send.clone(),
            metrics: Arc::new(Metrics::new()),
            timeout: Duration::from_secs(10),
            patience: Duration::from_millis(500),
        };
        tokio::spawn(webhooks.run(stop.clone()))
    }
}

/// While one half of the endpoints is looked after, something of the other half always ends.
#[tokio::test(start_paused = true)]
async fn an_event_does_not_wait_for_the_long_backlog_of_other_endpoints() {
    let mut service = Service::new("lease_webhooks", Duration::from_millis(40));
    for number in 0..5 {
        for speed in ["fast", "slow"] {
            let host = format!("{speed}{number}.example");
            service.webhook(&host, "account.created").await;
        }
    }
    service.note("account.created", 400).await;
    while service.send.fan_out().await.expect("the store works") {}
    service.webhook("idle.example", "session.begun").await;

    let stop = CancellationToken::new();
    let running = service.run(&stop);
    time::sleep(Duration::from_millis(500)).await;
    service.note("session.begun", 1).await;
    let idle = async { while service.taken.recv().await.expect("it runs") != "idle.example" {} };
    time::timeout(3 * POLL, idle)
        .await
        .expect("it is sent beside the others");
    let (backlog, _) = service.send.backlog().await.expect("the store works");
    assert!(backlog.waiting > 0, "the others have more than that to do");
    stop.cancel();
    running.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_long_journal() {
    let service = Service::new("follow_journal", Duration::from_millis(500));
    service.webhook("one.example", "session.begun").await;
    let batch = usize::try_from(SendWebhooks::BATCH).expect("it is small");
    service.note("account.created", 12 * batch).await;
    let stop = CancellationToken::new();
    let running = service.run(&stop);
    time::sleep(Duration::from_secs(1)).await;
    stop.cancel();
    time::timeout(Duration::from_secs(1), running)
        .await
        .expect("it ends in time")
        .expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_long_journal_is_gone_through_without_a_pause() {
    let mut service = Service::new("follow_journal", Duration::from_millis(10));
    service.webhook("one.example", "session.begun").await;
    let batch = usize::try_from(SendWebhooks::BATCH).expect("it is small");
    service.note("account.created", 8 * batch).await;
    service.note("session.begun", 1).await;
    let stop = CancellationToken::new();
    let running = service.run(&stop);
    time::timeout(POLL, service.taken.recv())
        .await
        .expect("it is sent in less than one turn for each batch")
        .expect("it runs");
    stop.cancel();
    running.await.expect("no panic");
}
