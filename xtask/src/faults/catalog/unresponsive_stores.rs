//! Redis or Postgres is there and of no use: stopped in its tracks, slow, or breaking off in the middle of its answers.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;
use url::Url;

use crate::{
    faults::{
        client_ledger::Person,
        environment::{House, POSTGRES_TIMEOUT, REDIS_TIMEOUT},
        liveness::watch,
        rounds::Rounds,
        scenario::Town,
    },
    harness::{
        proxy::{Failure, Proxy},
        service::{Instance, Settings},
        stores::{Store, StoreKind},
    },
};

/// It lasts longer than what an answer may take, so that one that waits for its end is too late.
const FAULT: Duration = Duration::from_secs(3);
/// So much longer than the timeout an answer may take.
const GRACE: Duration = Duration::from_secs(1);
/// And so much longer on a machine that is busy with other things.
const BUSY: Duration = Duration::from_millis(250);
const SLOW: Duration = Duration::from_millis(500);

/// A service behind proxies, with people.
struct Stage {
    service: Instance,
    redis: Store,
    proxies: [Proxy; 2],
    town: Town,
    people: Vec<Person>,
}

impl Stage {
    async fn set(house: &mut House, name: &str, settings: Settings) -> Result<Self> {
        let redis = house.redis().await?;
        let (first, second): (Url, Url) = (redis.url().parse()?, house.schema().await?);
        let proxies = [Proxy::start(&first).await?, Proxy::start(&second).await?];
        let settings = settings.stores(&proxies[0].before(&first)?, &proxies[1].before(&second)?);
        let service = house.start(&settings, name).await?;
        let town = house.town(name)?;
        town.at(&[service.url()]);
        town.demand_answers();
        let people = town.people();
        Ok(Self {
            service,
            redis,
            proxies,
            town,
            people,
        })
    }
}

/// What an answer has to come within.
fn bound(kind: StoreKind, [redis, postgres]: [Duration; 2]) -> Duration {
    GRACE
        + BUSY
        + if kind == StoreKind::Redis {
            redis
        } else {
            postgres
        }
}

/// The process is stopped and goes on later. Answers come within the timeout and a second, none is a wrong 401, the key set and the
/// liveness are always there, and it recovers by itself.
pub(super) async fn paused(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let settings = house.settings().await?;
    let mut stage = Stage::set(house, "paused", settings).await?;
    while let Some(mut round) = rounds.next() {
        let kind = round.turn(&StoreKind::ALL);
        let store = if kind == StoreKind::Redis {
            &stage.redis
        } else {
            &house.postgres
        };
        let (town, stalled) = (&stage.town, stage.town.stalled());
        let fault = watch(town, stage.service.url(), async {
            town.fault_begins();
            store.pause().await?;
            sleep(FAULT).await;
            town.fault_ends();
            store.resume().await?;
            town.recover().await
        });
        Box::pin(town.endure(&mut stage.people, &mut round, fault)).await?;
        round.note(|verdict| {
            verdict.answered_within(
                bound(kind, [REDIS_TIMEOUT, POSTGRES_TIMEOUT])
                    + town.stalled().saturating_sub(stalled),
            );
            verdict.felt();
            verdict.check(if kind == StoreKind::Redis {
                "pauses of Redis"
            } else {
                "pauses of Postgres"
            });
        });
        rounds.judge(round);
    }
    Ok(())
}

/// Each answer of the store comes half a second late. The timeouts are those by default: they are for a call of a store, and a slow store
/// can take up several in a row.
pub(super) async fn slow(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let (settings, timeouts) = (
        house.default_settings().await?,
        [Duration::from_secs(1), Duration::from_secs(2)],
    );
    let stage = Stage::set(house, "slow", settings).await?;
    proxied(
        stage,
        rounds,
        timeouts,
        &StoreKind::ALL.map(|kind| (kind, Failure::Slow(SLOW))),
    )
    .await
}

/// Connections break in the middle of answers, are closed on one side, are cut, or fall silent.
pub(super) async fn cut(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut ways = Vec::new();
    for how in [
        Failure::MidAnswer,
        Failure::HalfClosed,
        Failure::Cut,
        Failure::Silent,
        Failure::Deaf,
    ] {
        ways.extend(StoreKind::ALL.map(|kind| (kind, how)));
    }
    let settings = house.settings().await?;
    let stage = Stage::set(house, "cut", settings).await?;
    proxied(stage, rounds, [REDIS_TIMEOUT, POSTGRES_TIMEOUT], &ways).await
}

async fn proxied(
    mut stage: Stage,
    rounds: &mut Rounds,
    timeouts: [Duration; 2],
    ways: &[(StoreKind, Failure)],
) -> Result<()> {
    while let Some(mut round) = rounds.next() {
        let (kind, how) = round.turn(ways);
        let (stalled, town, proxy) = (
            stage.town.stalled(),
            &stage.town,
            &stage.proxies[usize::from(kind == StoreKind::Postgres)],
        );
        let fault = watch(town, stage.service.url(), async {
            town.fault_begins();
            proxy.fail(how);
            sleep(FAULT).await;
            town.fault_ends();
            proxy.recover();
            town.recover().await
        });
        Box::pin(town.endure(&mut stage.people, &mut round, fault)).await?;
        round.note(|verdict| {
            let bound = bound(kind, timeouts) + town.stalled().saturating_sub(stalled);
            if matches!(how, Failure::Slow(_)) {
                // Nobody needs a 503 here, and a good answer may take several slow ones in a row.
                verdict.refused_within(bound);
            } else {
                verdict.answered_within(bound);
                verdict.felt();
            }
            verdict.check(words(kind, how));
        });
        rounds.judge(round);
    }
    Ok(())
}

fn words(kind: StoreKind, how: Failure) -> &'static str {
    match (kind, how) {
        (StoreKind::Redis, Failure::Slow(_)) => "slow times of Redis",
        (StoreKind::Postgres, Failure::Slow(_)) => "slow times of Postgres",
        (StoreKind::Redis, _) => "breaks of Redis",
        (StoreKind::Postgres, _) => "breaks of Postgres",
    }
}
