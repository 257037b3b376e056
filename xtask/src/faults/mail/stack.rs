//! A service that sends its mails to a server of the run's own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use revolve_testkit::smtp_sink::{SinkSettings, SmtpSink};
use tokio::time::sleep;

use super::{
    aftermath::Aftermath,
    claims::{Fate, Promise, judge},
    orders::{MailClients, Order, is_of_a_client},
    outbox::{DeliveryRow, LostLeases, Outbox, POLL},
    taken::{LINKS, TakenMails, known_ids},
};
use crate::{
    faults::{
        environment::Environment,
        rounds::Round,
        scenario::Scenario,
        stack::{Profile, embedded_settings},
    },
    harness::{
        service::{Instance, Settings},
        stores::Store,
    },
};

/// `mail.timeout`: longer than any answer may take, so that a request that waits for the mail server is too late.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long the service leases a mail: `mail.timeout`, and the time to store what became of it.
const LEASE: Duration = Duration::from_secs(TIMEOUT.as_secs() + 30);
/// Mails arrive within this, whatever the server does to others; sooner than those time out.
const ARRIVAL: Duration = Duration::from_secs(3);
/// So many mails are named if some are not sent.
const NAMED: usize = 3;

/// Replicas over stores of their own, and their mail server.
pub(in crate::faults) struct MailStack {
    pub(in crate::faults) replicas: Vec<Instance>,
    pub(in crate::faults) scenario: Scenario,
    pub(in crate::faults) sink: SmtpSink,
    pub(in crate::faults) outbox: Outbox,
    /// Held, so that it goes on.
    _redis: Option<Store>,
}

/// One of each profile, started when it is needed.
pub(in crate::faults) struct MailStacks {
    name: &'static str,
    replicas: usize,
    server: Option<MailStack>,
    embedded: Option<MailStack>,
}

impl MailStacks {
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
    ) -> Result<&mut MailStack> {
        let (kept, started) = match profile {
            Profile::Server => (&mut self.server, self.name.to_owned()),
            Profile::Embedded => (&mut self.embedded, format!("{}-embedded", self.name)),
        };
        if kept.is_none() {
            *kept = Some(MailStack::start(env, profile, &started, self.replicas).await?);
        }
        kept.as_mut().context("it was started")
    }
}

impl MailStack {
    async fn start(
        env: &mut Environment,
        profile: Profile,
        name: &str,
        replicas: usize,
    ) -> Result<Self> {
        if profile == Profile::Embedded {
            let data = env.folder(name).join("data");
            let settings = embedded_settings(&data);
            let outbox = Outbox::Sqlite(data.join("revolve.sqlite3"));
            return Self::start_over(env, name, &settings, replicas, (outbox, None)).await;
        }
        let (redis, schema) = (env.redis().await?, env.schema().await?);
        let settings = env.settings().await?;
        let settings = settings.stores(&redis.url().parse()?, &schema);
        let stores = (Outbox::Postgres(schema), Some(redis));
        Self::start_over(env, name, &settings, replicas, stores).await
    }

    /// Starts replicas over these stores.
    pub(in crate::faults) async fn start_over(
        env: &Environment,
        name: &str,
        settings: &Settings,
        replicas: usize,
        (outbox, redis): (Outbox, Option<Store>),
    ) -> Result<Self> {
        let sink = SmtpSink::start(SinkSettings::default()).await?;
        let scenario = env.scenario(name)?;
        let mut stack = Self {
            replicas: Vec::new(),
            scenario,
            sink,
            outbox,
            _redis: redis,
        };
        for replica in 0..replicas {
            let settings = mailing(settings.clone(), &stack.sink, replica);
            let home = format!("{name}-{replica}");
            stack
                .replicas
                .push(env.start_service(&settings, &home).await?);
        }
        stack.route();
        Ok(stack)
    }

    /// Leads clients to all replicas.
    pub(in crate::faults) fn route(&self) {
        let urls: Vec<_> = self.replicas.iter().map(Instance::url).collect();
        self.scenario.route_to(&urls);
    }

    /// Requires that the promised mails of these orders arrive while the server does to others what it does.
    pub(in crate::faults) async fn require_arrival(
        &self,
        clients: &MailClients,
        round: &Round,
        is_among: impl Fn(&Order) -> bool,
    ) {
        let (begun, before) = (Instant::now(), self.scenario.stalled());
        let awaited: Vec<_> = clients
            .orders()
            .filter(|order| order.promise == Promise::Sent && is_among(order))
            .collect();
        let late = loop {
            let mails = TakenMails::read(&self.sink.received(), 0);
            let is_late = |order: &&&Order| mails.of(&order.address, order.kind).is_empty();
            let late: Vec<_> = awaited.iter().filter(is_late).collect();
            let stalled = self.scenario.stalled().saturating_sub(before);
            if late.is_empty() || begun.elapsed() > ARRIVAL + stalled {
                break late.iter().map(|order| order.words()).collect::<Vec<_>>();
            }
            sleep(POLL).await;
        };
        round.record(|findings| {
            findings.count("mails beside those that fail", awaited.len() as u64);
            if !late.is_empty() {
                findings.violate(format!(
                    "{} mails to others are held up: {}",
                    late.len(),
                    named(&late)
                ));
            }
        });
    }

    /// Waits until nothing is to be sent any more, with pauses and lost leases cut short.
    pub(in crate::faults) async fn drain(
        &self,
        round: &Round,
        aftermath: &Aftermath<'_>,
    ) -> Result<()> {
        let lost = LostLeases {
            before: aftermath.leases_lost,
            lease: LEASE,
            known: || known_ids(&self.sink.received(), aftermath.unsure),
        };
        let left = self.outbox.open().await?;
        let left = left.drain(&self.scenario, lost).await?;
        if !left.is_empty() {
            let words: Vec<_> = left.iter().map(DeliveryRow::words).collect();
            round.record(|findings| {
                findings.violate(format!(
                    "{} mails are not sent: {}",
                    words.len(),
                    named(&words)
                ));
            });
        }
        Ok(())
    }

    /// Waits until nothing is to be sent any more, and holds the service to every order. The server must take mails by then.
    pub(in crate::faults) async fn verify(
        &self,
        clients: &MailClients,
        round: &mut Round,
        aftermath: &Aftermath<'_>,
    ) -> Result<()> {
        self.drain(round, aftermath).await?;
        let mails = TakenMails::read(&self.sink.take(), aftermath.unsure);
        judge_all(clients, round, aftermath, &mails);
        clients.confirm(&self.scenario, round, &mails).await?;
        let findings = self.scenario.take_findings();
        round.record(|total| total.merge(findings));
        Ok(())
    }
}

/// Runs clients beside a mail server that fails: every request is answered as if there were none, and as soon.
pub(in crate::faults) async fn unimpeded<T>(
    scenario: &Scenario,
    clients: &mut MailClients,
    round: &mut Round,
    fault: impl Future<Output = Result<T>>,
) -> Result<T> {
    scenario.require_answers();
    let before = scenario.stalled();
    let timed = async {
        scenario.fault_begins();
        fault.await
    };
    let outcome = clients.run(scenario, round, timed).await?;
    let stalled = scenario.stalled().saturating_sub(before);
    round.require_unimpeded(stalled, "the mail server");
    Ok(outcome)
}

fn judge_all(clients: &MailClients, round: &Round, aftermath: &Aftermath<'_>, mails: &TakenMails) {
    let of_clients = mails
        .orders()
        .filter(|(address, _)| is_of_a_client(address));
    let mut unordered: Vec<_> = of_clients.collect();
    for order in clients.orders() {
        unordered.retain(|(address, kind)| (address, *kind) != (&order.address, order.kind));
        let taken = mails.of(&order.address, order.kind);
        let proof = order
            .proof
            .as_ref()
            .filter(|_| order.promise == Promise::Sent);
        let is_other = proof.is_some_and(|proof| taken.iter().any(|mail| mail.proof != *proof));
        let judged = if is_other {
            Err("it has another proof than the one that was answered")
        } else {
            judge(order.promise, aftermath.obstacle(order), &taken)
        };
        round.record(|findings| match judged {
            Ok(fate) => findings.check(words(order.promise, fate)),
            Err(why) => {
                let seen: Vec<_> = taken
                    .iter()
                    .map(|mail| format!("{} (known: {})", mail.id, mail.known))
                    .collect();
                findings.violate(format!("{}: {why} [{}]", order.words(), seen.join(", ")));
            }
        });
    }
    for (address, kind) in unordered {
        round.record(|findings| {
            findings.violate(format!(
                "{} to {address}: nobody has ordered it",
                kind.name()
            ));
        });
    }
}

fn words(promise: Promise, fate: Fate) -> &'static str {
    match (promise, fate) {
        (Promise::Sent, Fate::Arrived) => "promised mails",
        (Promise::Perhaps | Promise::Never, Fate::Arrived) => "mails of requests without an answer",
        (_, Fate::ArrivedAgain) => "mails sent again, the same",
        (Promise::Never, _) => "requests that order nothing",
        (_, Fate::Absent) => "requests without an answer and without a mail",
        (_, Fate::GivenUp) => "mails refused for good",
        (_, Fate::Expired) => "codes that expired, not sent",
    }
}

fn named(words: &[String]) -> String {
    words[..words.len().min(NAMED)].join("; ")
}

/// What a replica's mails come from.
pub(in crate::faults) fn sender(replica: usize) -> String {
    format!("replica{replica}@example.org")
}

/// Settings with this mail server. Mails leave as fast as they can.
fn mailing(settings: Settings, sink: &SmtpSink, replica: usize) -> Settings {
    let settings = settings
        .with("MAIL__URL", &sink.url())
        .with("MAIL__FROM", &format!("Example <{}>", sender(replica)))
        .with("MAIL__RATE", "1000")
        .with(
            "MAIL__TIMEOUT",
            &humantime::format_duration(TIMEOUT).to_string(),
        );
    let keys = ["MAIL__LINKS__VERIFY_EMAIL", "MAIL__LINKS__RECOVERY"];
    LINKS
        .iter()
        .zip(keys)
        .fold(settings, |settings, ((_, path), key)| {
            let link = format!("https://app.example.org{path}?proof={{proof}}&secret={{secret}}");
            settings.with(key, &link)
        })
}
