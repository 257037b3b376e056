//! The embedded store's disk is full, read-only, or returns a page that was never written.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    rounds::{Round, Rounds},
    small_disk::SmallDisk,
    stack::EmbeddedStack,
};

const FAULT: Duration = Duration::from_millis(400);
/// The store's log has space that was allocated before; it is used up within this.
const FULL_WITHIN: Duration = Duration::from_secs(10);
const PAGE: usize = 4096;

/// The service over the embedded store on a disk of its own, which outlives it.
async fn start(env: &Environment, name: &str) -> Result<(SmallDisk, EmbeddedStack)> {
    let disk = SmallDisk::mount(env.folder(&format!("{name}-disk"))).await?;
    let stack = EmbeddedStack::start(env, name, disk.path().join("data"), &[]).await?;
    Ok((disk, stack))
}

/// No space: a clear error, nothing acknowledged is lost, and the service goes on when there is space again. Every other time it is killed and
/// started meanwhile.
pub(super) async fn full(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let (disk, mut stack) = start(env, "disk-full").await?;
    let (scenario, service) = (&stack.scenario, &mut stack.service);
    while let Some(mut round) = rounds.next() {
        let killed = round.in_turn(&[false, true]);
        let fault = async {
            disk.fill()?;
            scenario.fault_begins();
            sleep(FAULT).await;
            let mut refused = None;
            if killed {
                service.kill().await?;
                refused = service.restart().await.err();
            } else {
                scenario.wait_for_unavailable(FULL_WITHIN).await;
            }
            disk.free()?;
            scenario.fault_ends();
            if refused.is_some() {
                service.kill().await?;
                service.restart().await?;
            }
            scenario.route_to(&[service.url()]);
            scenario.wait_for_recovery().await?;
            Ok(refused)
        };
        let refused = stack.clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| {
            if !killed {
                findings.require_unavailable();
            }
            findings.check("times without space");
            findings.check(match (killed, refused.is_some()) {
                (false, _) => "times it ran on",
                (true, false) => "starts without space",
                (true, true) => "starts without space, refused",
            });
        });
        rounds.finish(round);
    }
    Ok(())
}

/// Read-only: the service does not start and says why; it starts when the disk is writable, with everything acknowledged.
pub(super) async fn read_only(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let (disk, mut stack) = start(env, "disk-read-only").await?;
    let (scenario, service) = (&stack.scenario, &mut stack.service);
    while let Some(mut round) = rounds.next() {
        let fault = async {
            service.kill().await?;
            disk.remount("ro").await?;
            let refused = service.restart().await.err();
            let refused = refused.map(|error| format!("{error:#}"));
            service.kill().await?;
            disk.remount("rw").await?;
            service.restart().await?;
            scenario.route_to(&[service.url()]);
            scenario.wait_for_recovery().await?;
            Ok(refused)
        };
        let refused = stack.clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| {
            let clear = refused.as_ref().is_some_and(|why| {
                why.contains("read-only") || why.contains("readonly") || why.contains("Read-only")
            });
            findings.require("starts on a read-only disk, refused by name", clear, || {
                format!("it said: {refused:?}")
            });
        });
        rounds.finish(round);
    }
    Ok(())
}

/// The last page of the file is garbage: the service reports it, or does not need the page; no request is refused for it. When the page is
/// restored, so is everything acknowledged.
pub(super) async fn last_page(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let (disk, mut stack) = start(env, "disk-last-page").await?;
    let file = disk.path().join("data/revolve.sqlite3");
    while let Some(mut round) = rounds.next() {
        let scenario = &stack.scenario;
        let no_fault = async { Ok(()) };
        stack.clients.run(scenario, &mut round, no_fault).await?;
        // In order, so that the file itself has everything.
        stack.service.stop().await?;
        let whole = fs::read(&file).context("there is no file")?;
        overwrite_last_page(&file, whole.len(), &mut round)?;
        if stack.service.restart().await.is_ok() {
            round.record(|findings| findings.check("starts with a broken page"));
            refresh_all(&stack, &round).await?;
        } else {
            round.record(|findings| findings.check("starts with a broken page, refused"));
        }
        stack.service.kill().await?;
        fs::write(&file, whole)?;
        for suffix in ["-wal", "-shm"] {
            let beside = file.with_file_name(format!("revolve.sqlite3{suffix}"));
            if beside.exists() {
                fs::remove_file(beside)?;
            }
        }
        stack.service.restart().await?;
        scenario.route_to(&[stack.service.url()]);
        let recovery = scenario.wait_for_recovery();
        stack.clients.run(scenario, &mut round, recovery).await?;
        rounds.finish(round);
    }
    Ok(())
}

fn overwrite_last_page(file: &Path, length: usize, round: &mut Round) -> Result<()> {
    let garbage: Vec<u8> = std::iter::repeat_with(|| round.rng.u8(..))
        .take(PAGE)
        .collect();
    let mut file = fs::File::options().write(true).open(file)?;
    file.seek(SeekFrom::Start(u64::try_from(length.saturating_sub(PAGE))?))?;
    Ok(file.write_all(&garbage)?)
}

/// A refresh of an honest client may fail and may not be refused. The clients keep nothing of the replies.
async fn refresh_all(stack: &EmbeddedStack, round: &Round) -> Result<()> {
    for client in stack.clients.sessions() {
        let api = stack.scenario.api(stack.service.url(), &client.api.journal);
        let reply = client.at(&api).refresh().await?;
        round.record(|findings| {
            let holds = reply.refusal().is_none();
            findings.require("refreshes over a broken page", holds, || reply.words());
        });
    }
    Ok(())
}
