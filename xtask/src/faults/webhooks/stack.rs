//! A service with two endpoints: one that works, and one that a fault may break.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::{
    endpoint::Endpoint,
    store::{HookStore, POLL, now},
};
use crate::{
    faults::{
        clients::Clients,
        environment::Environment,
        rounds::Round,
        scenario::Scenario,
        stack::{Profile, embedded_settings},
    },
    harness::{
        service::Instance,
        stores::{PostgresConnection, Store},
    },
};

/// `webhooks.timeout`.
pub(in crate::faults) const TIMEOUT: Duration = Duration::from_secs(6);
/// How long the service leases an event: `webhooks.timeout`, and the time to store what became of it.
const LEASE: Duration = Duration::from_secs(TIMEOUT.as_secs() + 30);
/// An event arrives within this, whatever another endpoint does; sooner than that one times out.
const ARRIVAL: Duration = Duration::from_secs(4);
/// Once an endpoint takes events, it has all of them within this.
const PATIENCE: Duration = Duration::from_secs(40);
/// The clock of an entry is read before its commit.
const BEFORE: Duration = Duration::from_secs(1);

/// Replicas over stores of their own, with clients.
pub(in crate::faults) struct HookStack {
    pub(in crate::faults) replicas: Vec<Instance>,
    pub(in crate::faults) scenario: Scenario,
    pub(in crate::faults) clients: Clients,
    /// Works at all times.
    pub(in crate::faults) steady: Endpoint,
    /// What a fault may break.
    pub(in crate::faults) broken: Endpoint,
    pub(in crate::faults) store: HookStore,
    /// The events of the rounds before.
    judged: BTreeSet<String>,
    /// Held, so that it goes on.
    _redis: Option<Store>,
}

/// One of each profile, started when it is needed.
pub(in crate::faults) struct HookStacks {
    name: &'static str,
    replicas: usize,
    server: Option<HookStack>,
    embedded: Option<HookStack>,
}

impl HookStacks {
    pub(in crate::faults) fn new(name: &'static str, replicas: usize) -> Self {
        Self {
            name,
            replicas,
            server: None,
            embedded: None,
        }
    }

    pub(in crate::faults) async fn get(
        &mut self,
        env: &mut Environment,
        profile: Profile,
    ) -> Result<&mut HookStack> {
        let (kept, name) = match profile {
            Profile::Server => (&mut self.server, self.name.to_owned()),
            Profile::Embedded => (&mut self.embedded, format!("{}-embedded", self.name)),
        };
        if kept.is_none() {
            *kept = Some(HookStack::start(env, profile, &name, self.replicas).await?);
        }
        kept.as_mut().context("it was started")
    }
}

/// When events were seen first in the journal.
#[derive(Default)]
pub(in crate::faults) struct Commits(BTreeMap<String, (String, Instant)>);

impl Commits {
    fn add(&mut self, events: BTreeMap<String, String>) {
        let now = Instant::now();
        for (id, name) in events {
            self.0.entry(id).or_insert((name, now));
        }
    }
}

/// Runs clients, and notes meanwhile when events are committed.
pub(in crate::faults) async fn watch<T>(
    store: &HookStore,
    running: impl Future<Output = Result<T>>,
) -> Result<(T, Commits)> {
    let since = now() - BEFORE;
    let mut commits = Commits::default();
    let watching = async {
        loop {
            commits.add(store.events(since).await?);
            sleep(POLL).await;
        }
    };
    let outcome = tokio::select! {
        outcome = running => outcome?,
        failed = watching => {
            let failed: Result<Infallible> = failed;
            match failed? {}
        }
    };
    commits.add(store.events(since).await?);
    Ok((outcome, commits))
}

impl HookStack {
    async fn start(
        env: &mut Environment,
        profile: Profile,
        name: &str,
        replicas: usize,
    ) -> Result<Self> {
        let data = env.folder(name).join("data");
        let (settings, redis, schema) = if profile == Profile::Embedded {
            (embedded_settings(&data), None, None)
        } else {
            let (redis, schema) = (env.redis().await?, env.schema().await?);
            let settings = env.settings().await?;
            let settings = settings.stores(&redis.url().parse()?, &schema);
            (settings, Some(redis), Some(schema))
        };
        let timeout = humantime::format_duration(TIMEOUT).to_string();
        let settings = settings
            .with("WEBHOOKS__ALLOW_PRIVATE", "127.0.0.0/8")
            .with("WEBHOOKS__TIMEOUT", &timeout);
        let mut started = Vec::new();
        for replica in 0..replicas {
            let home = format!("{name}-{replica}");
            started.push(env.start_service(&settings, &home).await?);
        }
        let first = started.first().context("there is a replica")?;
        let steady = Endpoint::register("steady", first).await?;
        let broken = Endpoint::register("broken", first).await?;
        let store = match schema {
            Some(schema) => HookStore::Postgres(PostgresConnection::open(&schema).await?),
            None => HookStore::Sqlite(data.join("revolve.sqlite3")),
        };
        let scenario = env.scenario(name)?;
        let stack = Self {
            clients: Clients::new(&scenario),
            replicas: started,
            scenario,
            steady,
            broken,
            store,
            judged: BTreeSet::new(),
            _redis: redis,
        };
        stack.route();
        Ok(stack)
    }

    /// Leads clients to all replicas.
    pub(in crate::faults) fn route(&self) {
        let urls: Vec<_> = self.replicas.iter().map(Instance::url).collect();
        self.scenario.route_to(&urls);
    }

    /// Waits until both endpoints have all events and nothing is to be sent any more, with pauses cut short, and holds the service to every event.
    /// `killed` is when a replica was killed, if one was: its leases are cut short, too.
    pub(in crate::faults) async fn verify(
        &mut self,
        commits: Commits,
        killed: Option<Instant>,
        stalled: Duration,
        round: &Round,
    ) -> Result<()> {
        let mut commits = commits.0;
        commits.retain(|id, _| !self.judged.contains(id));
        let (begun, before) = (Instant::now(), self.scenario.stalled());
        let left = loop {
            let lost = killed.map(|killed| LEASE.saturating_sub(killed.elapsed()));
            self.store.hasten(lost.unwrap_or_default()).await?;
            let taken = [self.steady.taken(), self.broken.taken()];
            let have_all = taken
                .iter()
                .all(|taken| commits.keys().all(|id| taken.contains_key(id)));
            let steady = self.store.waiting(&self.steady).await?;
            let left = steady + self.store.waiting(&self.broken).await?;
            let stalled = self.scenario.stalled().saturating_sub(before);
            if (have_all && left == 0) || begun.elapsed() > PATIENCE + stalled {
                break left;
            }
            sleep(POLL).await;
        };
        round.record(|findings| {
            findings.require("times nothing was left to send", left == 0, || {
                format!("{left} events are still to be sent")
            });
        });
        if killed.is_none() {
            judge_delays(&commits, &self.steady.taken(), stalled, round);
        }
        let committed: BTreeMap<_, _> = commits
            .into_iter()
            .map(|(id, (name, _))| (id, name))
            .collect();
        for endpoint in [&self.steady, &self.broken] {
            endpoint.judge(&committed, &self.judged, killed.is_none(), round);
        }
        self.judged.extend(committed.into_keys());
        Ok(())
    }
}

/// Waits until an endpoint has taken what was committed since then, or until that is late.
pub(in crate::faults) async fn has_taken(
    store: &HookStore,
    endpoint: &Endpoint,
    since: SystemTime,
) -> Result<()> {
    let (begun, events) = (Instant::now(), store.events(since).await?);
    while begun.elapsed() <= ARRIVAL {
        let taken = endpoint.taken();
        if events.keys().all(|id| taken.contains_key(id)) {
            break;
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// Requires that the endpoint that works got each event in time.
fn judge_delays(
    commits: &BTreeMap<String, (String, Instant)>,
    taken: &BTreeMap<String, Instant>,
    stalled: Duration,
    round: &Round,
) {
    let delays = commits
        .iter()
        .filter_map(|(id, (_, seen))| Some(taken.get(id)?.saturating_duration_since(*seen)));
    let Some(slowest) = delays.max() else {
        return;
    };
    round.record(|findings| {
        findings.add_time("slowest event beside it", slowest);
        findings.require(
            "times of trouble beside which an endpoint got its events",
            slowest <= ARRIVAL + stalled,
            || format!("an event for the endpoint that works took {slowest:?}"),
        );
    });
}
