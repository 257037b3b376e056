//! Two replicas send the mails of one outbox.

use std::time::Duration;

use anyhow::Result;
use revolve_testkit::smtp_sink::SinkAnswer;
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    mail::{Aftermath, MailClients, MailStacks, sender, unimpeded},
    rounds::Rounds,
    stack::Profile,
};

const REPLICAS: usize = 2;
/// How late the mail server answers, so that mails are on their way at any moment.
const LATE: Duration = Duration::from_millis(10);
/// Every client follows a new route within this.
const ROUTED: Duration = Duration::from_millis(100);
/// Both replicas send within this.
const TOGETHER: Duration = Duration::from_millis(700);

/// Each mail arrives once, though both replicas look for all; also if one of them is stopped and started again meanwhile.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = MailStacks::new("mail-replicas", REPLICAS);
    while let Some(mut round) = rounds.next() {
        let (profile, stops) = round.in_turn(&[
            (Profile::Server, true),
            (Profile::Embedded, true),
            (Profile::Server, false),
            (Profile::Embedded, false),
        ]);
        let stack = stacks.get(env, profile).await?;
        stack.route();
        stack.sink.rule(|_, _| Some(SinkAnswer::Late(LATE)));
        let (scenario, replicas) = (&stack.scenario, &mut stack.replicas);
        let fault = async {
            sleep(TOGETHER).await;
            if let ([first, second], true) = (&mut replicas[..], stops) {
                scenario.route_to(&[first.url()]);
                sleep(ROUTED).await;
                second.stop().await?;
                second.restart().await?;
                scenario.route_to(&[first.url(), second.url()]);
                sleep(TOGETHER).await;
            }
            Ok(())
        };
        let mut clients = MailClients::new();
        unimpeded(scenario, &mut clients, &mut round, fault).await?;
        stack.sink.recover();
        stack.drain(&round, &Aftermath::default()).await?;
        let received = stack.sink.received();
        for replica in 0..REPLICAS {
            let sender = sender(replica);
            let sent = received.iter().filter(|mail| mail.from == sender).count();
            round.record(|findings| {
                findings.require("replicas that have sent mails", sent > 0, || {
                    format!("replica {replica} has sent none of {}", received.len())
                });
            });
        }
        round.record(|findings| {
            findings.count("orderly ends of a replica", stops.into());
        });
        stack
            .verify(&clients, &mut round, &Aftermath::default())
            .await?;
        rounds.finish(round);
    }
    Ok(())
}
