//! A mail server that is slow, refuses recipients, breaks connections, or makes everybody wait.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use revolve_testkit::smtp_sink::{SinkAnswer, SinkStage};
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    mail::{
        Aftermath, BUSY_DOMAIN, MailClients, MailStack, MailStacks, Obstacle, Order, Promise,
        unimpeded,
    },
    rounds::{Round, Rounds},
    stack::Profile,
};

const TROUBLE: Duration = Duration::from_millis(600);
/// So long that one domain would have taken all connections, if it were let.
const LONG_TROUBLE: Duration = Duration::from_millis(1500);
/// How late a slow server answers.
const LATE: Duration = Duration::from_millis(100);
const PROFILES: [Profile; 2] = [Profile::Server, Profile::Embedded];
const STAGES: [SinkStage; 6] = [
    SinkStage::Connected,
    SinkStage::Hello,
    SinkStage::Mail,
    SinkStage::Rcpt,
    SinkStage::Data,
    SinkStage::Content,
];

#[derive(Debug, Clone, Copy)]
enum Slowness {
    /// Each answer is late.
    Late,
    /// Nothing is answered from some stage on.
    Hung,
    /// Nothing is answered for the recipients of one domain.
    OneDomain,
}

/// Requests are answered as ever, and mails to other domains arrive meanwhile.
pub(super) async fn slow(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = MailStacks::new("smtp-slow", 1);
    while let Some(mut round) = rounds.next() {
        let (profile, slowness) = round.in_turn(&[
            (Profile::Server, Slowness::OneDomain),
            (Profile::Embedded, Slowness::Hung),
            (Profile::Server, Slowness::Late),
            (Profile::Embedded, Slowness::OneDomain),
            (Profile::Server, Slowness::Hung),
            (Profile::Embedded, Slowness::Late),
        ]);
        let stack = stacks.get(env, profile).await?;
        let stage = STAGES[round.rng.usize(..STAGES.len())];
        let held = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&held);
        stack.sink.rule(move |now, line| {
            let answer = match slowness {
                Slowness::Late => Some(SinkAnswer::Late(LATE)),
                Slowness::Hung => (now == stage).then_some(SinkAnswer::Silence),
                Slowness::OneDomain => (now == SinkStage::Rcpt && line.contains(BUSY_DOMAIN))
                    .then_some(SinkAnswer::Silence),
            };
            counted.fetch_add(answer.is_some().into(), Ordering::Relaxed);
            answer
        });
        let lasts = match slowness {
            Slowness::OneDomain => LONG_TROUBLE,
            Slowness::Late | Slowness::Hung => TROUBLE,
        };
        let clients = beside(stack, &mut round, lasts).await?;
        if matches!(slowness, Slowness::OneDomain) {
            let is_elsewhere = |order: &Order| !order.address.ends_with(BUSY_DOMAIN);
            stack.require_arrival(&clients, &round, is_elsewhere).await;
        }
        stack.sink.recover();
        if !matches!(slowness, Slowness::Late) {
            // What hangs ends now, not when it times out.
            stack.sink.go_down().await?;
            stack.sink.come_up()?;
        }
        let what = match slowness {
            Slowness::Late => "answers of the mail server that were late",
            Slowness::Hung => "mails that hung",
            Slowness::OneDomain => "mails to a domain that hung",
        };
        had_effect(&round, what, held.load(Ordering::Relaxed));
        stack
            .verify(&clients, &mut round, &Aftermath::default())
            .await?;
        rounds.finish(round);
    }
    Ok(())
}

/// Every second recipient is refused. The others' mails arrive meanwhile; a mail that was refused for now arrives later, and one that was refused
/// for good is given up and never sent again.
pub(super) async fn refusing(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = MailStacks::new("smtp-refusing", 1);
    while let Some(mut round) = rounds.next() {
        let [server, embedded] = PROFILES;
        let (profile, for_good) = round.in_turn(&[
            (server, true),
            (embedded, false),
            (server, false),
            (embedded, true),
        ]);
        let stack = stacks.get(env, profile).await?;
        let line = if for_good {
            "550 5.1.1 there is nobody of that name"
        } else {
            "450 4.2.0 not now"
        };
        let refused = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&refused);
        stack.sink.rule(move |now, to| {
            let refuses = now == SinkStage::Rcpt && is_second(to);
            counted.fetch_add(refuses.into(), Ordering::Relaxed);
            refuses.then(|| SinkAnswer::Reply(line.to_owned()))
        });
        let clients = beside(stack, &mut round, TROUBLE).await?;
        let is_first = |order: &Order| !is_second(&order.address);
        stack.require_arrival(&clients, &round, is_first).await;
        had_effect(&round, "refusals", refused.load(Ordering::Relaxed));
        let obstacle = |order: &Order| {
            if for_good && is_second(&order.address) {
                Obstacle::Refused
            } else {
                Obstacle::Nothing
            }
        };
        let aftermath = Aftermath::with_obstacles(&obstacle);
        if for_good {
            stack.drain(&round, &aftermath).await?;
            given_up(stack, &clients, &round).await?;
        }
        stack.sink.recover();
        stack.verify(&clients, &mut round, &aftermath).await?;
        rounds.finish(round);
    }
    Ok(())
}

/// The connection breaks in the middle of the content; for every second recipient after it, so that the answer is lost. Those mails come twice,
/// the same, and the others once.
pub(super) async fn mid_data(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = MailStacks::new("smtp-mid-data", 1);
    while let Some(mut round) = rounds.next() {
        let stack = stacks.get(env, round.in_turn(&PROFILES)).await?;
        let broken = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&broken);
        stack.sink.rule(move |now, to| {
            let breaks = now == SinkStage::Content && !is_second(to);
            counted.fetch_add(breaks.into(), Ordering::Relaxed);
            (now == SinkStage::Content).then_some(if breaks {
                SinkAnswer::Close
            } else {
                SinkAnswer::Lose
            })
        });
        let clients = beside(stack, &mut round, TROUBLE).await?;
        stack.sink.recover();
        let received = stack.sink.received();
        let lost = received.iter().filter(|mail| !mail.answered).count();
        had_effect(&round, "answers that were lost", lost as u64);
        let broken = broken.load(Ordering::Relaxed);
        had_effect(&round, "contents that broke off", broken);
        stack
            .verify(&clients, &mut round, &Aftermath::default())
            .await?;
        rounds.finish(round);
    }
    Ok(())
}

/// Each recipient is refused at first, and taken later.
pub(super) async fn greylisting(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = MailStacks::new("smtp-greylisting", 1);
    while let Some(mut round) = rounds.next() {
        let stack = stacks.get(env, round.in_turn(&PROFILES)).await?;
        let known = Arc::new(Mutex::new(HashSet::new()));
        let seen = Arc::clone(&known);
        stack.sink.rule(move |now, to| {
            let is_new = now == SinkStage::Rcpt
                && seen
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(to.to_owned());
            is_new.then(|| SinkAnswer::Reply("451 4.7.1 greylisted, come back later".to_owned()))
        });
        let clients = beside(stack, &mut round, TROUBLE).await?;
        let greylisted = known.lock().unwrap_or_else(PoisonError::into_inner).len();
        had_effect(&round, "recipients that were greylisted", greylisted as u64);
        stack
            .verify(&clients, &mut round, &Aftermath::default())
            .await?;
        stack.sink.recover();
        rounds.finish(round);
    }
    Ok(())
}

/// Clients order mails for so long.
async fn beside(stack: &MailStack, round: &mut Round, lasts: Duration) -> Result<MailClients> {
    let mut clients = MailClients::new();
    let trouble = async {
        sleep(lasts).await;
        Ok(())
    };
    unimpeded(&stack.scenario, &mut clients, round, trouble).await?;
    Ok(clients)
}

fn had_effect(round: &Round, what: &'static str, times: u64) {
    round.record(|findings| {
        findings.count(what, times);
        if times == 0 {
            findings.violate(format!("{what}: there were none"));
        }
    });
}

/// An operator sees each promised mail that was given up, with the server's answer.
async fn given_up(stack: &MailStack, clients: &MailClients, round: &Round) -> Result<()> {
    let rows = stack.outbox.open().await?.rows().await?;
    let refused = clients
        .orders()
        .filter(|order| order.promise == Promise::Sent && is_second(&order.address));
    for order in refused {
        let is_kept = rows.iter().any(|row| {
            let is_its = row.to == order.address && row.kind == order.kind.name();
            is_its && !row.waits && row.error.contains("550")
        });
        round.record(|findings| {
            findings.require("mails given up, with the answer", is_kept, || {
                format!("a mail to {} was refused and is not kept", order.address)
            });
        });
    }
    Ok(())
}

/// Whether a recipient is one of every second: the number at the end of the local part is even.
fn is_second(to: &str) -> bool {
    let local = to.split('@').next().unwrap_or_default();
    local.bytes().last().is_some_and(|digit| digit % 2 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_recipient_is_one_in_the_envelope_and_in_the_order() {
        for (to, second) in [
            ("RCPT TO:<faults-0-12@one.example.org>", true),
            ("faults-0-12@one.example.org", true),
            ("RCPT TO:<faults-0-13@one.example.org>", false),
            ("", false),
        ] {
            assert_eq!(is_second(to), second, "{to}");
        }
    }
}
