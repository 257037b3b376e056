//! `kill -9` of Redis at random moments, with `appendfsync` always and everysec.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::faults::{
    claims::Losses,
    environment::{House, Site},
    rounds::Rounds,
};

/// With `everysec` Redis may answer so long before it writes: a write waits up to two seconds for an fsync that is under way.
const UNWRITTEN: Duration = Duration::from_secs(3);

/// With `always` nothing is lost; with `everysec` what was begun in the last seconds may be, and says so once. Whoever refreshed heals it.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut site = Site::open(house, "redis-kill", &[]).await?;
    let mut people = site.town.people();
    while let Some(mut round) = rounds.next() {
        let always = round.turn(&[true, false]);
        site.order(&[
            "CONFIG",
            "SET",
            "appendfsync",
            if always { "always" } else { "everysec" },
        ])
        .await?;
        let (town, redis) = (&site.town, &mut site.redis);
        town.endure(&mut people, &mut round, async {
            if !always {
                let since = Instant::now()
                    .checked_sub(UNWRITTEN)
                    .context("the clock has just begun")?;
                town.lose(Losses::Between(Some(since), None));
            }
            redis.kill().await?;
            redis.restart().await?;
            town.recover().await?;
            town.lose(town.losses().until(Instant::now()));
            Ok(())
        })
        .await?;
        round.note(|verdict| {
            verdict.check(if always {
                "kills (always)"
            } else {
                "kills (everysec)"
            })
        });
        rounds.judge(round);
    }
    Ok(())
}
