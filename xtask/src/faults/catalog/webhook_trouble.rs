//! An endpoint for webhooks that is down, slow, or answers 500.

use std::time::{Duration, Instant};

use anyhow::Result;
use revolve_testkit::webhook_sink::{HookAnswer, WebhookSink};
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    rounds::Rounds,
    stack::Profile,
    webhooks::{Endpoint, HookStacks, HookStore, POLL, TIMEOUT, has_taken, now, watch},
};

const TROUBLE: Duration = Duration::from_millis(1500);
/// How late a slow endpoint answers.
const LATE: Duration = Duration::from_millis(700);
/// A fault has an effect within this, beside the time-out of an attempt.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Connections are refused.
    Down,
    /// Each answer is late, and in time.
    Late,
    /// Requests are read, and not answered before the service gives up.
    Silent,
    /// Each request is answered 500.
    Failing,
}

impl Trouble {
    async fn begin(self, sink: &mut WebhookSink) -> Result<()> {
        sink.answer(match self {
            Self::Late => HookAnswer::Late(LATE),
            Self::Failing => HookAnswer::Status(500),
            // What is being read when it goes down is not taken either.
            Self::Down | Self::Silent => HookAnswer::Silence,
        });
        if self == Self::Down {
            sink.go_down().await?;
        }
        Ok(())
    }

    async fn end(self, sink: &mut WebhookSink) -> Result<()> {
        if self == Self::Silent {
            // What is held ends now, not when it times out.
            sink.go_down().await?;
        }
        sink.answer(HookAnswer::Status(204));
        Ok(sink.come_up()?)
    }

    /// How long the service needs to notice.
    fn noticed(self) -> Duration {
        match self {
            Self::Silent => TIMEOUT,
            Self::Late => LATE,
            Self::Down | Self::Failing => Duration::ZERO,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Down => "times an endpoint was down",
            Self::Late => "times an endpoint answered late",
            Self::Silent => "times an endpoint did not answer",
            Self::Failing => "times an endpoint answered 500",
        }
    }
}

/// Whoever connects is refused.
pub(super) async fn down(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let cases = [Profile::Server, Profile::Embedded].map(|profile| (profile, Trouble::Down));
    run(env, rounds, "webhook-down", &cases).await
}

/// Answers come late, or after the service has given up.
pub(super) async fn slow(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let cases = [
        (Profile::Server, Trouble::Silent),
        (Profile::Embedded, Trouble::Late),
        (Profile::Server, Trouble::Late),
        (Profile::Embedded, Trouble::Silent),
    ];
    run(env, rounds, "webhook-slow", &cases).await
}

/// Every request is answered 500.
pub(super) async fn failing(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let cases = [Profile::Embedded, Profile::Server].map(|profile| (profile, Trouble::Failing));
    run(env, rounds, "webhook-failing", &cases).await
}

/// Requests are answered as ever, and another endpoint gets each event as soon as ever, once. When the trouble is over the endpoint gets all that
/// was committed, too, and takes each event once.
async fn run(
    env: &mut Environment,
    rounds: &mut Rounds,
    name: &'static str,
    cases: &[(Profile, Trouble)],
) -> Result<()> {
    let mut stacks = HookStacks::new(name, 1);
    while let Some(mut round) = rounds.next() {
        let (profile, trouble) = round.in_turn(cases);
        let stack = stacks.get(env, profile).await?;
        let (scenario, store, steady) = (&stack.scenario, &stack.store, &stack.steady);
        let (clients, broken) = (&mut stack.clients, &mut stack.broken);
        let before = scenario.stalled();
        scenario.require_answers();
        let fault = async {
            let begun = now();
            scenario.fault_begins();
            trouble.begin(&mut broken.sink).await?;
            let waiting = wait_for_effect(store, broken, trouble).await?;
            sleep(TROUBLE + trouble.noticed()).await;
            has_taken(store, steady, begun).await?;
            trouble.end(&mut broken.sink).await?;
            Ok(waiting)
        };
        let running = clients.run(scenario, &mut round, fault);
        let (waiting, commits) = watch(store, running).await?;
        let stalled = scenario.stalled().saturating_sub(before);
        round.record(|findings| {
            findings.check(trouble.words());
            findings.require("times events waited for it", waiting > 0, || {
                "no event waited for the endpoint".to_owned()
            });
        });
        round.require_unimpeded(stalled, "an endpoint");
        stack.verify(commits, None, stalled, &round).await?;
        rounds.finish(round);
    }
    Ok(())
}

/// Waits until events wait for the endpoint; answers how many.
async fn wait_for_effect(store: &HookStore, broken: &Endpoint, trouble: Trouble) -> Result<i64> {
    let begun = Instant::now();
    loop {
        let waiting = store.waiting(broken).await?;
        if waiting > 0 || begun.elapsed() > PATIENCE + trouble.noticed() {
            return Ok(waiting);
        }
        sleep(POLL).await;
    }
}
