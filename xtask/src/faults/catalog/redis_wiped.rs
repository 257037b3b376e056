//! Redis loses everything: emptied under the service, or started again without its files.

use std::{fs, time::Instant};

use anyhow::Result;

use crate::faults::{
    claims::Losses,
    environment::{House, LeftOut, Site},
    rounds::Rounds,
};

/// No revoked session is alive; every session that was hears 401 `session_unknown`, once, and its user signs in again.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut site = Site::open(house, "redis-wiped", &[]).await?;
    let mut people = site.town.people();
    while let Some(mut round) = rounds.next() {
        let by_command = round.turn(&[true, false]) || site.redis.data().is_none();
        let (town, redis) = (&site.town, &mut site.redis);
        town.endure(&mut people, &mut round, async {
            town.lose(Losses::Between(None, None));
            if by_command {
                crate::faults::environment::order(redis, &["FLUSHALL"]).await?;
            } else {
                let data = redis
                    .data()
                    .ok_or_else(|| LeftOut("a container keeps its files".to_owned()))?;
                redis.kill().await?;
                fs::remove_dir_all(&data)?;
                fs::create_dir(&data)?;
                redis.restart().await?;
            }
            town.recover().await?;
            town.lose(town.losses().until(Instant::now()));
            Ok(())
        })
        .await?;
        round.note(|verdict| {
            verdict.check(if by_command {
                "FLUSHALLs"
            } else {
                "losses of all files"
            })
        });
        rounds.judge(round);
    }
    Ok(())
}
