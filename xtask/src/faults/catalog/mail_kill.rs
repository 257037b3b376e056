//! `kill -9` of the service between the commit of a mail and its end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use revolve_testkit::smtp_sink::{SinkAnswer, SinkStage};
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    mail::{Aftermath, MailClients, MailStacks, POLL},
    rounds::Rounds,
    stack::{Profile, restart},
};

/// So many mails are on their way when the service is killed.
const UNDER_WAY: u64 = 3;
const AT_MOST: Duration = Duration::from_secs(2);
/// The longest time before a kill at no particular moment, in milliseconds.
const ANY: u64 = 200;
/// Before the server answers a content, so that the service is killed meanwhile.
const TAKING: Duration = Duration::from_millis(300);
/// A content has arrived this long after its first line.
const READ: Duration = Duration::from_millis(50);

/// When the service is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Mails are committed, and no server has heard of them.
    Committed,
    /// Recipients are named.
    Named,
    /// The server has the content, and has not answered.
    Taken,
    Any,
}

impl Moment {
    /// What the server does at this stage so that the moment lasts.
    fn rule(self, stage: SinkStage) -> Option<SinkAnswer> {
        match (self, stage) {
            (Self::Committed, SinkStage::Connected) | (Self::Named, SinkStage::Rcpt) => {
                Some(SinkAnswer::Silence)
            }
            (Self::Taken, SinkStage::Content) => Some(SinkAnswer::Late(TAKING)),
            _ => None,
        }
    }
}

/// Every promised mail arrives after the next start. What a server had taken before the kill may arrive again, the same; nothing else does.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = MailStacks::new("mail-kill", 1);
    while let Some(mut round) = rounds.next() {
        let (profile, moment) = round.in_turn(&[
            (Profile::Server, Moment::Taken),
            (Profile::Embedded, Moment::Committed),
            (Profile::Server, Moment::Named),
            (Profile::Embedded, Moment::Taken),
            (Profile::Server, Moment::Committed),
            (Profile::Embedded, Moment::Any),
            (Profile::Server, Moment::Any),
            (Profile::Embedded, Moment::Named),
        ]);
        let stack = stacks.get(env, profile).await?;
        let (scenario, sink, service) = (&stack.scenario, &stack.sink, &mut stack.replicas[0]);
        let under_way = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&under_way);
        sink.rule(move |stage, _| {
            let answer = moment.rule(stage);
            counted.fetch_add(answer.is_some().into(), Ordering::Relaxed);
            answer
        });
        let any = Duration::from_millis(round.rng.u64(..ANY));
        let fault = async {
            if moment == Moment::Any {
                sleep(any).await;
            }
            let begun = Instant::now();
            let enough = || under_way.load(Ordering::Relaxed) >= UNDER_WAY;
            while moment != Moment::Any && !enough() && begun.elapsed() < AT_MOST {
                sleep(POLL).await;
            }
            if moment == Moment::Taken {
                sleep(READ).await;
            }
            service.kill().await?;
            let killed = Instant::now();
            // The server has read what was still on its way.
            sink.wait_until_idle().await;
            sink.recover();
            let aftermath = Aftermath::of_a_kill(sink.received().len(), killed);
            restart(service, scenario).await?;
            scenario.route_to(&[service.url()]);
            scenario.wait_for_recovery().await?;
            Ok(aftermath)
        };
        let mut clients = MailClients::new();
        let aftermath = clients.run(scenario, &mut round, fault).await?;
        let under_way = under_way.load(Ordering::Relaxed);
        round.record(|findings| {
            findings.check(match moment {
                Moment::Committed => "kills between commit and sending",
                Moment::Named => "kills with recipients named",
                Moment::Taken => "kills between content and answer",
                Moment::Any => "kills at any moment",
            });
            findings.count("mails under way at the kill", under_way);
            if moment != Moment::Any && under_way == 0 {
                findings.violate("no mail was under way at the kill");
            }
        });
        stack.verify(&clients, &mut round, &aftermath).await?;
        rounds.finish(round);
    }
    Ok(())
}
