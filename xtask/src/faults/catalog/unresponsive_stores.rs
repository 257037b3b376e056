//! Redis or Postgres runs and is of no use: suspended, slow, or behind connections that break or fall silent.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    faults::{
        environment::{Environment, POSTGRES_TIMEOUT, REDIS_TIMEOUT},
        liveness::watch_liveness,
        rounds::Rounds,
        stack::{ProxiedStack, ServerStack},
    },
    harness::{
        profile::Answer,
        proxy::{Proxy, ProxyFailure},
    },
};

/// Longer than a response may take, so that one that waits for the end of the fault is too late.
const FAULT: Duration = Duration::from_secs(3);
/// A response may take this much longer than the timeout.
const GRACE: Duration = Duration::from_secs(1);
/// And this much longer on a busy machine.
const BUSY: Duration = Duration::from_millis(250);
const SLOW: Duration = Duration::from_millis(500);

/// The stores that fail together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    Redis,
    Postgres,
    Both,
}

impl Failing {
    const ONE: [Self; 2] = [Self::Redis, Self::Postgres];
    const ALL: [Self; 3] = [Self::Redis, Self::Postgres, Self::Both];

    /// How long a response may take, given the timeouts for Redis and Postgres.
    fn bound(self, [redis, postgres]: [Duration; 2]) -> Duration {
        let timeout = match self {
            Self::Redis => redis,
            Self::Postgres => postgres,
            Self::Both => redis + postgres,
        };
        GRACE + BUSY + timeout
    }

    fn proxies(self, proxies: &[Proxy; 2]) -> &[Proxy] {
        match self {
            Self::Redis => &proxies[..1],
            Self::Postgres => &proxies[1..],
            Self::Both => proxies,
        }
    }

    fn breaks(self) -> &'static str {
        match self {
            Self::Redis => "breaks of Redis",
            Self::Postgres => "breaks of Postgres",
            Self::Both => "breaks of both stores",
        }
    }
}

/// The process is suspended and resumed later. Responses come within the timeout and a second, none is a wrong 401, key set and liveness are
/// always available, and the service recovers by itself.
pub(super) async fn paused(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stack = ServerStack::start(env, "paused", &[]).await?;
    let scenario = &stack.scenario;
    scenario.require_answers();
    while let Some(mut round) = rounds.next() {
        let failing = round.in_turn(&Failing::ONE);
        let (store, what) = if failing == Failing::Redis {
            (&stack.redis, "pauses of Redis")
        } else {
            (&env.postgres, "pauses of Postgres")
        };
        let before = scenario.stalled();
        let fault = watch_liveness(scenario, stack.service.url(), async {
            scenario.fault_begins();
            store.pause().await?;
            sleep(FAULT).await;
            scenario.fault_ends();
            store.resume().await?;
            scenario.wait_for_recovery().await
        });
        Box::pin(stack.clients.run(scenario, &mut round, fault)).await?;
        round.record(|findings| {
            let stalled = scenario.stalled().saturating_sub(before);
            findings.answered_within(failing.bound([REDIS_TIMEOUT, POSTGRES_TIMEOUT]) + stalled);
            findings.require_unavailable();
            findings.check(what);
        });
        rounds.finish(round);
    }
    Ok(())
}

/// Each response of the store comes half a second late. The timeouts are the defaults: they are for one call of a store, and a request may make
/// several slow ones.
pub(super) async fn slow(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let settings = [("REDIS__TIMEOUT", "1s"), ("POSTGRES__TIMEOUT", "2s")];
    let timeouts = [Duration::from_secs(1), Duration::from_secs(2)];
    let proxied = ProxiedStack::start(env, "slow", &settings).await?;
    let ProxiedStack { mut stack, proxies } = proxied;
    let scenario = &stack.scenario;
    scenario.require_answers();
    while let Some(mut round) = rounds.next() {
        let failing = round.in_turn(&Failing::ONE);
        let before = scenario.stalled();
        let fault = watch_liveness(scenario, stack.service.url(), async {
            scenario.fault_begins();
            fail(failing.proxies(&proxies), ProxyFailure::Slow(SLOW));
            sleep(FAULT).await;
            scenario.fault_ends();
            proxies.iter().for_each(Proxy::recover);
            scenario.wait_for_recovery().await
        });
        Box::pin(stack.clients.run(scenario, &mut round, fault)).await?;
        round.record(|findings| {
            // No 503 is required, and a good response may take several slow calls.
            let stalled = scenario.stalled().saturating_sub(before);
            findings.unavailable_within(failing.bound(timeouts) + stalled);
            findings.check(if failing == Failing::Redis {
                "slow times of Redis"
            } else {
                "slow times of Postgres"
            });
        });
        rounds.finish(round);
    }
    Ok(())
}

/// Connections break in the middle of answers, are closed on one side, are cut, or fall silent. As for a pause; no refresh is granted
/// meanwhile, and afterwards retries succeed, though they come late.
pub(super) async fn cut(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut cases = Vec::new();
    for failure in [
        ProxyFailure::MidAnswer,
        ProxyFailure::HalfClosed,
        ProxyFailure::Cut,
        ProxyFailure::Silent,
        ProxyFailure::Deaf,
    ] {
        cases.extend(Failing::ALL.map(|failing| (failing, failure)));
    }
    let settings = [("SESSIONS__RETRY_FREE", "300ms")];
    let proxied = ProxiedStack::start(env, "cut", &settings).await?;
    let ProxiedStack { mut stack, proxies } = proxied;
    let scenario = &stack.scenario;
    scenario.require_answers();
    while let Some(mut round) = rounds.next() {
        let (failing, failure) = round.in_turn(&cases);
        let (_, client) = scenario.sign_up(stack.service.url()).await?;
        round.keep_journal(client.api.journal.clone());
        let before = scenario.stalled();
        let fault = watch_liveness(scenario, stack.service.url(), async {
            scenario.fault_begins();
            fail(failing.proxies(&proxies), failure);
            let (reply, ()) = tokio::join!(client.refresh(), sleep(FAULT));
            scenario.fault_ends();
            proxies.iter().for_each(Proxy::recover);
            scenario.wait_for_recovery().await?;
            reply
        });
        let reply = Box::pin(stack.clients.run(scenario, &mut round, fault)).await?;
        let retry = client.present_until_answered(&client.grant.refresh).await?;
        round.record(|findings| {
            let what = "refreshes while a store was cut off";
            let unavailable = reply.answer == Answer::Unavailable;
            findings.require(what, unavailable, || format!("{what}: {}", reply.words()));
            let what = "late retries after that";
            let granted = retry.grant().is_some();
            findings.require(what, granted, || format!("{what}: {}", retry.words()));
            let stalled = scenario.stalled().saturating_sub(before);
            findings.answered_within(failing.bound([REDIS_TIMEOUT, POSTGRES_TIMEOUT]) + stalled);
            findings.require_unavailable();
            findings.check(failing.breaks());
        });
        rounds.finish(round);
    }
    Ok(())
}

fn fail(proxies: &[Proxy], failure: ProxyFailure) {
    for proxy in proxies {
        proxy.fail(failure);
    }
}
