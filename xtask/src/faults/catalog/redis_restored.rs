//! Redis is restored from an old file: a copy of the AOF, or an RDB.

use std::{fs, path::Path, time::Instant};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use tokio::time::{Duration, sleep};

use crate::{
    faults::{
        claims::Losses,
        environment::{House, LeftOut, Site, order},
        rollback_probe::{RETRY_FREE, Robbed},
        rounds::Rounds,
    },
    harness::stores::Store,
};

/// What Redis reads at its start when the append-only file is on.
const FOLDER: &str = "appendonlydir";

/// No revoked session is alive; honest newer tokens heal; a superseded token is caught at the next honest refresh. Only sessions that
/// began after the copy are unknown.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut site = Site::open(
        house,
        "redis-restored",
        &[("SESSIONS__RETRY_FREE", RETRY_FREE)],
    )
    .await?;
    let data = site
        .redis
        .data()
        .ok_or_else(|| LeftOut("a container keeps its files: leave out --containers".to_owned()))?;
    let mut people = site.town.people();
    while let Some(mut round) = rounds.next() {
        let from_rdb = round.turn(&[false, true]);
        let longer = Duration::from_millis(Rng::with_seed(round.seed).u64(50..400));
        let (town, redis, base) = (&site.town, &mut site.redis, site.service.url());
        let robbed = town
            .endure(&mut people, &mut round, async {
                let copy = tempfile::tempdir()?;
                let mut robbed = Robbed::enter(town, base).await?;
                let since = Instant::now();
                save(redis, &data, copy.path(), from_rdb).await?;
                robbed.go_on().await?;
                sleep(longer).await;
                town.lose(Losses::Between(Some(since), None));
                redis.kill().await?;
                fs::remove_dir_all(&data)?;
                copy_folder(copy.path(), &data)?;
                redis.restart().await?;
                town.recover().await?;
                town.lose(town.losses().until(Instant::now()));
                Ok(robbed)
            })
            .await?;
        robbed.judge(base, town, &round).await?;
        round.note(|verdict| verdict.check(if from_rdb { "old RDBs" } else { "old AOFs" }));
        rounds.judge(round);
    }
    Ok(())
}

/// What a backup would have: the append-only files as they are, or an RDB in their place, as Redis itself has it after a rewrite.
async fn save(redis: &Store, data: &Path, to: &Path, as_rdb: bool) -> Result<()> {
    if !as_rdb {
        return copy_folder(data, to);
    }
    order(redis, &["SAVE"]).await?;
    let folder = to.join(FOLDER);
    fs::create_dir(&folder)?;
    fs::copy(
        data.join("dump.rdb"),
        folder.join("appendonly.aof.1.base.rdb"),
    )
    .context("SAVE has left no file")?;
    fs::write(
        folder.join("appendonly.aof.manifest"),
        "file appendonly.aof.1.base.rdb seq 1 type b\n",
    )?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
