//! The mail server is down for an hour.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    mail::{
        Aftermath, DeliveryRow, MailClients, MailKind, MailStacks, Obstacle, OpenOutbox, Order,
        POLL, unimpeded,
    },
    rounds::{Round, Rounds},
    scenario::Scenario,
    stack::Profile,
};

const OUTAGE: Duration = Duration::from_hours(1);
/// The pauses of the service, with the time that it takes to see them.
const PAUSES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(25)..=Duration::from_secs(3610);
/// How long a code to set a new password is good.
const CODE: Duration = Duration::from_mins(15);
/// At least so many mails are watched for an hour.
const WAITING: usize = 8;
/// Until all of them have.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail that waits.
struct Wait {
    to: String,
    kind: String,
    /// Its pauses so far.
    pauses: Vec<Duration>,
}

impl Wait {
    fn of(row: &DeliveryRow) -> Self {
        Self {
            to: row.to.clone(),
            kind: row.kind.clone(),
            pauses: Vec::new(),
        }
    }

    fn time(&self) -> Duration {
        self.pauses.iter().sum()
    }

    fn is_of(&self, order: &Order) -> bool {
        self.to == order.address && self.kind == order.kind.name()
    }
}

/// Whoever connects is refused. Some mails are tried until their pauses add up to an hour, each of which is cut short. Requests are answered
/// as ever. When the server is back all mails arrive, but for codes that expired by then.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = MailStacks::new("smtp-down", 1);
    while let Some(mut round) = rounds.next() {
        let profile = round.in_turn(&[Profile::Server, Profile::Embedded]);
        let stack = stacks.get(env, profile).await?;
        let (scenario, sink) = (&stack.scenario, &mut stack.sink);
        let outbox = stack.outbox.open().await?;
        let outage = async {
            sink.go_down().await?;
            let waits = wait_for_an_hour(scenario, &outbox).await?;
            sink.come_up()?;
            Ok(waits)
        };
        let mut clients = MailClients::new();
        let waits = unimpeded(scenario, &mut clients, &mut round, outage).await?;
        judge(&waits, &round);
        let expired = |order: &Order| {
            let is_late = |wait: &Wait| wait.is_of(order) && wait.time() >= CODE;
            if order.kind == MailKind::ResetPassword && waits.iter().any(is_late) {
                Obstacle::Expired
            } else {
                Obstacle::Nothing
            }
        };
        let aftermath = Aftermath::with_obstacles(&expired);
        stack.verify(&clients, &mut round, &aftermath).await?;
        rounds.finish(round);
    }
    Ok(())
}

/// Cuts the pauses of some mails short until they have waited for an hour in all, or were dropped.
async fn wait_for_an_hour(scenario: &Scenario, outbox: &OpenOutbox) -> Result<Vec<Wait>> {
    let (begun, before) = (Instant::now(), scenario.stalled());
    let mut waits: BTreeMap<String, Wait> = BTreeMap::new();
    loop {
        let rows = outbox.rows().await?;
        // Codes to set a new password are dropped before the hour is over.
        let stays = |row: &DeliveryRow| row.kind == MailKind::VerifyEmail.name();
        if waits.is_empty() && rows.len() >= WAITING && rows.iter().any(stays) {
            waits.extend(rows.iter().map(|row| (row.id.clone(), Wait::of(row))));
        }
        let (mut due, mut done) = (Vec::new(), !waits.is_empty());
        for row in rows {
            let Some(wait) = waits.get_mut(&row.id) else {
                continue;
            };
            if row.is_pausing() && wait.time() < OUTAGE {
                wait.pauses.push(row.wait);
                due.push(row.id);
            }
            done &= wait.time() >= OUTAGE;
        }
        if done {
            return Ok(waits.into_values().collect());
        }
        outbox.make_due(due).await?;
        let stalled = scenario.stalled().saturating_sub(before);
        ensure!(
            begun.elapsed() < PATIENCE + stalled,
            "{} mails are not tried for an hour",
            waits.len()
        );
        sleep(POLL).await;
    }
}

fn judge(waits: &[Wait], round: &Round) {
    round.record(|findings| {
        let long = waits.iter().filter(|wait| wait.time() >= OUTAGE).count();
        findings.count("mails that were tried for an hour", long as u64);
        findings.require("outages of an hour", long > 0, || {
            "no mail was tried for an hour".to_owned()
        });
        for wait in waits {
            let pauses = &wait.pauses;
            findings.require(
                "waits with pauses of half a minute to an hour",
                pauses.iter().all(|pause| PAUSES.contains(pause)),
                || format!("{} to {}: pauses of {pauses:?}", wait.kind, wait.to),
            );
        }
    });
}
