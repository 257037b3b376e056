//! `kill -9` of the service after a store has done what it was told and before the client hears of it.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    faults::{
        environment::{House, start_again},
        rounds::Rounds,
    },
    harness::proxy::{Failure, Proxy},
};

/// So long the stores do what they are told without being heard; longer, if nobody has told them anything by then.
const DEAF: Duration = Duration::from_millis(60);
const AT_MOST: Duration = Duration::from_secs(2);

/// Both stores, or one of them, work on without being heard; then the service is killed. Every client's retry succeeds, and whatever it
/// had acknowledged before is true.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let redis = house.redis().await?;
    let (first, second) = (redis.url().parse()?, house.schema().await?);
    let proxies = [Proxy::start(&first).await?, Proxy::start(&second).await?];
    let settings = house
        .settings()
        .await?
        .stores(&proxies[0].before(&first)?, &proxies[1].before(&second)?);
    let mut service = house.start(&settings, "answer-lost").await?;
    let town = house.town("answer-lost")?;
    town.at(&[service.url()]);
    let mut people = town.people();
    while let Some(mut round) = rounds.next() {
        let deaf: &[usize] = round.turn(&[&[0][..], &[1], &[0, 1]]);
        let lost = town
            .endure(&mut people, &mut round, async {
                let unheard = || proxies.iter().map(Proxy::held_back).sum::<u64>();
                let (begun, before) = (Instant::now(), unheard());
                for store in deaf {
                    proxies[*store].fail(Failure::Deaf);
                }
                sleep(DEAF).await;
                while unheard() == before && begun.elapsed() < AT_MOST {
                    sleep(DEAF / 10).await;
                }
                service.kill().await?;
                let lost = unheard() - before;
                proxies.iter().for_each(Proxy::recover);
                start_again(&mut service, &town).await?;
                town.at(&[service.url()]);
                town.recover().await?;
                Ok(lost)
            })
            .await?;
        round.note(|verdict| {
            verdict.require("kills between step and answer", lost > 0, || {
                "no store had done anything that nobody heard of".to_owned()
            });
            verdict.checks("answers of stores that nobody heard", lost);
        });
        rounds.judge(round);
    }
    Ok(())
}
