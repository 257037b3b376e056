//! Redis is restored from an old file: a copy of the AOF, or an RDB.

use std::{fs, path::Path, time::Instant};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use tokio::time::{Duration, sleep};

use crate::{
    faults::{
        claims::Losses,
        environment::{Environment, redis_command},
        rollback_probe::{EndMethod, RETRY_FREE, RollbackProbe, RowsAfterRollback},
        rounds::Rounds,
        skipped::Skipped,
        stack::ServerStack,
    },
    harness::stores::Store,
};

/// What Redis reads when it starts with the append-only file on.
const FOLDER: &str = "appendonlydir";

/// No ended session lives, however it ended; bindings hold; honest newer tokens heal; a superseded token is detected at the next honest
/// refresh. Only sessions that began after the copy are unknown.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let settings = [("SESSIONS__RETRY_FREE", RETRY_FREE)];
    let mut stack = ServerStack::start(env, "redis-restored", &settings).await?;
    let data = stack
        .redis
        .data()
        .ok_or_else(|| Skipped("a container keeps its files: omit --containers".to_owned()))?;
    while let Some(mut round) = rounds.next() {
        let from_rdb = round.in_turn(&[false, true]);
        let ending = round.in_turn(&EndMethod::ALL);
        let longer = Duration::from_millis(Rng::with_seed(round.seed).u64(50..400));
        let (scenario, redis, base) = (&stack.scenario, &mut stack.redis, stack.service.url());
        let mut probe = RollbackProbe::start(scenario, base, ending, &round).await?;
        let fault = async {
            let copy = tempfile::tempdir()?;
            let since = Instant::now();
            save(redis, &data, copy.path(), from_rdb).await?;
            probe.change(scenario, base).await?;
            sleep(longer).await;
            scenario.expect_losses(Losses::Between(Some(since), None));
            redis.kill().await?;
            fs::remove_dir_all(&data)?;
            copy_folder(copy.path(), &data)?;
            redis.restart().await?;
            scenario.wait_for_recovery().await?;
            scenario.end_losses();
            Ok(())
        };
        stack.clients.run(scenario, &mut round, fault).await?;
        probe
            .verify(scenario, base, RowsAfterRollback::Kept, &round)
            .await?;
        round.record(|findings| findings.check(if from_rdb { "old RDBs" } else { "old AOFs" }));
        rounds.finish(round);
    }
    Ok(())
}

/// What a backup would have: the append-only files as they are, or an RDB in their place, as Redis itself has it after a rewrite.
async fn save(redis: &Store, data: &Path, to: &Path, as_rdb: bool) -> Result<()> {
    if !as_rdb {
        return copy_folder(data, to);
    }
    redis_command(redis, &["SAVE"]).await?;
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
