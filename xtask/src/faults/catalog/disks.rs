//! The embedded store's disk is full, read-only, or gives back a page that was never written.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::{
    faults::{
        client_ledger::Person,
        environment::{House, embedded},
        rounds::{Round, Rounds},
        scenario::Town,
        small_disk::Disk,
    },
    harness::{profile::Answer, service::Instance},
};

const FAULT: Duration = Duration::from_millis(400);
/// The log has room that was taken before; it is used up within this.
const FELT: Duration = Duration::from_secs(10);
const PAGE: usize = 4096;

/// The service over the embedded store on a disk of its own.
struct Stage {
    // Before its disk goes.
    service: Instance,
    town: Town,
    people: Vec<Person>,
    disk: Disk,
}

impl Stage {
    async fn set(house: &mut House, name: &str) -> Result<Self> {
        let disk = Disk::mount(house.folder(&format!("{name}-disk"))).await?;
        let service = house
            .start(&embedded(&disk.path().join("data")), name)
            .await?;
        let town = house.town(name)?;
        town.at(&[service.url()]);
        let people = town.people();
        Ok(Self {
            service,
            town,
            people,
            disk,
        })
    }
}

/// No space: a clear error, nothing acknowledged is lost, and it goes on when there is space again; every other time it is killed and
/// started meanwhile.
pub(super) async fn full(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut stage = Stage::set(house, "disk-full").await?;
    while let Some(mut round) = rounds.next() {
        let killed = round.turn(&[false, true]);
        let (town, service, disk) = (&stage.town, &mut stage.service, &stage.disk);
        let refused = town
            .endure(&mut stage.people, &mut round, async {
                disk.fill()?;
                town.fault_begins();
                sleep(FAULT).await;
                let mut refused = None;
                if killed {
                    service.kill().await?;
                    refused = service.restart().await.err();
                } else {
                    town.felt(FELT).await;
                }
                disk.free()?;
                town.fault_ends();
                if refused.is_some() {
                    service.kill().await?;
                    service.restart().await?;
                }
                town.at(&[service.url()]);
                town.recover().await?;
                Ok(refused)
            })
            .await?;
        round.note(|verdict| {
            if !killed {
                verdict.felt();
            }
            verdict.check("times without space");
            verdict.check(match (killed, refused.is_some()) {
                (false, _) => "times it ran on",
                (true, false) => "starts without space",
                (true, true) => "starts without space, refused",
            });
        });
        rounds.judge(round);
    }
    Ok(())
}

/// Read-only: the service does not start and says why; it starts when it may write again, with everything acknowledged.
pub(super) async fn read_only(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut stage = Stage::set(house, "disk-read-only").await?;
    while let Some(mut round) = rounds.next() {
        let (town, service, disk) = (&stage.town, &mut stage.service, &stage.disk);
        let refused = town
            .endure(&mut stage.people, &mut round, async {
                service.kill().await?;
                disk.remount("ro").await?;
                let refused = service
                    .restart()
                    .await
                    .err()
                    .map(|error| format!("{error:#}"));
                service.kill().await?;
                disk.remount("rw").await?;
                service.restart().await?;
                town.at(&[service.url()]);
                town.recover().await?;
                Ok(refused)
            })
            .await?;
        round.note(|verdict| {
            let clear = refused.as_ref().is_some_and(|why| {
                why.contains("read-only") || why.contains("readonly") || why.contains("Read-only")
            });
            verdict.require("starts on a read-only disk, refused by name", clear, || {
                format!("it said: {refused:?}")
            });
        });
        rounds.judge(round);
    }
    Ok(())
}

/// The last page of the file is garbage: the service says so, or does not need it; never is somebody refused for it. When the page is
/// back, everything acknowledged is.
pub(super) async fn last_page(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let mut stage = Stage::set(house, "disk-last-page").await?;
    while let Some(mut round) = rounds.next() {
        let (town, service) = (&stage.town, &mut stage.service);
        let file = stage.disk.path().join("data/revolve.sqlite3");
        town.endure(&mut stage.people, &mut round, async { Ok(()) })
            .await?;
        // In order, so that all is in the file itself.
        service.stop().await?;
        let whole = fs::read(&file).context("there is no file")?;
        spoil(&file, whole.len(), &mut round)?;
        if service.restart().await.is_ok() {
            round.note(|verdict| verdict.check("starts with a broken page"));
            ask(town, service, &stage.people, &round).await?;
        } else {
            round.note(|verdict| verdict.check("starts with a broken page, refused"));
        }
        service.kill().await?;
        fs::write(&file, whole)?;
        for suffix in ["-wal", "-shm"] {
            let beside = file.with_file_name(format!("revolve.sqlite3{suffix}"));
            if beside.exists() {
                fs::remove_file(beside)?;
            }
        }
        service.restart().await?;
        town.at(&[service.url()]);
        town.endure(&mut stage.people, &mut round, async {
            town.recover().await
        })
        .await?;
        rounds.judge(round);
    }
    Ok(())
}

fn spoil(file: &Path, length: usize, round: &mut Round) -> Result<()> {
    let garbage: Vec<u8> = std::iter::repeat_with(|| round.rng.u8(..))
        .take(PAGE)
        .collect();
    let mut file = fs::File::options().write(true).open(file)?;
    file.seek(SeekFrom::Start(u64::try_from(length.saturating_sub(PAGE))?))?;
    Ok(file.write_all(&garbage)?)
}

/// Honest clients may hear that it does not work; never that their sessions are over. They keep nothing that they hear.
async fn ask(town: &Town, service: &Instance, people: &[Person], round: &Round) -> Result<()> {
    for client in people.iter().filter_map(Person::client) {
        let api = town.api(service.url(), &client.api.journal);
        let reply = client.at(&api).refresh().await?;
        let holds = !matches!(reply.answer, Answer::Refused(_));
        let words = reply.words();
        round.note(|verdict| verdict.require("refreshes over a broken page", holds, || words));
    }
    Ok(())
}
