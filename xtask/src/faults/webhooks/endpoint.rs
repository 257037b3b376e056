//! An endpoint of the run's own, and what the service has sent to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use anyhow::{Context as _, Result};
use revolve_testkit::webhook_sink::{ReceivedHook, WebhookSink};
use serde_json::Value;

use super::claims::{Arrival, Fate, judge};
use crate::{faults::rounds::Round, harness::service::Instance};

/// The events that endpoints get: those that are written in the commit of what they tell.
pub(super) const EVENTS: [&str; 6] = [
    "account.created",
    "password.changed",
    "session.begun",
    "session.replaced",
    "session.signed_out",
    "sessions.ended",
];

/// So many events are named if something is wrong with them.
const NAMED: usize = 3;

/// An endpoint that asks for [`EVENTS`].
pub(in crate::faults) struct Endpoint {
    pub(in crate::faults) sink: WebhookSink,
    pub(super) id: String,
    name: &'static str,
    secret: String,
}

impl Endpoint {
    /// Listens, and tells the service of it.
    pub(super) async fn register(name: &'static str, service: &Instance) -> Result<Self> {
        let sink = WebhookSink::start().await?;
        let (url, events) = (sink.url(), EVENTS.join(","));
        let create = [
            "webhooks", "create", "--json", "--name", name, "--url", &url, "--events", &events,
        ];
        let made: Value = serde_json::from_str(&service.command(&create).await?)?;
        let text = |member: &str| {
            let text = made[member].as_str().map(str::to_owned);
            text.with_context(|| format!("the webhook has no {member}"))
        };
        Ok(Self {
            id: text("id")?,
            secret: text("secret")?,
            name,
            sink,
        })
    }

    /// The ids of the events that it has taken, and when it took each first.
    pub(super) fn taken(&self) -> BTreeMap<String, Instant> {
        let mut first = BTreeMap::new();
        for hook in self.sink.received().iter().filter(|hook| hook.is_taken()) {
            first
                .entry(hook.header("webhook-id").to_owned())
                .or_insert(hook.at);
        }
        first
    }

    /// Holds what it got to the events that were committed, and forgets it; all events of `earlier` rounds were taken. The service is `sure` of
    /// the answers that it got unless it was killed.
    pub(super) fn judge(
        &self,
        committed: &BTreeMap<String, String>,
        earlier: &BTreeSet<String>,
        sure: bool,
        round: &Round,
    ) {
        let mut wrong = Vec::new();
        let mut arrivals: BTreeMap<String, Vec<Arrival>> = BTreeMap::new();
        for hook in self.sink.take() {
            let arrival = self.arrival(&hook);
            if !earlier.contains(&arrival.id) {
                let of_it = arrivals.entry(arrival.id.clone()).or_default();
                of_it.push(arrival);
            } else if sure {
                wrong.push(format!(
                    "{} {}: it was sent again",
                    arrival.name, arrival.id
                ));
            }
        }
        let ids: BTreeSet<_> = committed.keys().chain(arrivals.keys()).collect();
        for id in ids {
            let name = committed.get(id).map(String::as_str);
            let of_it: Vec<_> = arrivals.get(id).into_iter().flatten().collect();
            match judge(name, &of_it, sure) {
                Ok(fate) => round.record(|findings| {
                    let attempts = of_it.len() as u64;
                    findings.count("requests with right signatures", attempts);
                    findings.check(match fate {
                        Fate::Taken => "events that arrived",
                        Fate::TakenAgain => "events that arrived again, the same",
                    });
                }),
                Err(why) => wrong.push(format!("{} {id}: {why}", name.unwrap_or("an event"))),
            }
        }
        if !wrong.is_empty() {
            let (many, few) = (wrong.len(), wrong[..wrong.len().min(NAMED)].join("; "));
            round.record(|findings| {
                findings.violate(format!(
                    "{many} events for the endpoint {}: {few}",
                    self.name
                ));
            });
        }
    }

    fn arrival(&self, hook: &ReceivedHook) -> Arrival {
        let body: Value = serde_json::from_str(&hook.body).unwrap_or_default();
        let text = |pointer: &str| {
            let text = body.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        Arrival {
            id: hook.header("webhook-id").to_owned(),
            event: text("/data/id"),
            name: text("/type"),
            body: hook.body.clone(),
            signed: hook.is_signed_with(&self.secret),
            taken: hook.is_taken(),
        }
    }
}
