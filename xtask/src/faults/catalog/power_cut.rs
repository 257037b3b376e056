//! The power goes while the embedded store writes: whatever of its log had reached the disk by then is all that there is.
//!
//! With `synchronous = FULL` a commit is answered after its part of the log was synced; what comes after it may be there in part, or as
//! garbage. So the log of a run is cut at the end of each frame, in the middle of frames, and with garbage behind, and the service is
//! started on each of these: it opens, and has all that was acknowledged before the log was that long.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    faults::{
        environment::{House, embedded},
        rounds::{Round, Rounds},
        scenario::Town,
    },
    harness::{
        client::Client,
        folders,
        journal::Journal,
        profile::{Account, Answer},
    },
};

/// A log's header, a frame's header, a page (see SQLite's file format).
const HEADER: u64 = 32;
const FRAME: u64 = 24 + 4096;
const PEOPLE: usize = 4;
const STEPS: usize = 10;
const FILE: &str = "revolve.sqlite3";
const LOG: &str = "revolve.sqlite3-wal";

/// Something acknowledged, when the log was that long.
struct Acknowledged {
    person: usize,
    client: Client,
    log: u64,
}

/// What a run leaves: its files, and what was acknowledged.
struct Run {
    data: PathBuf,
    accounts: Vec<Account>,
    acknowledged: Vec<Acknowledged>,
}

/// Every cut opens, and holds what was acknowledged before it.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let town = house.town("power-cut")?;
    while let Some(mut round) = rounds.next() {
        let run = run(house, &town, &mut round).await?;
        let whole = fs::metadata(run.data.join(LOG))
            .context("there is no log")?
            .len();
        let frames = (whole - HEADER) / FRAME;
        let boundary = HEADER + FRAME * round.rng.u64(..=frames);
        let acknowledged = run.acknowledged[round.rng.usize(..run.acknowledged.len())].log;
        let inside = round.rng.u64(HEADER..whole);
        for (what, length, garbage) in [
            ("logs cut after a frame", boundary, false),
            (
                "logs cut right after an acknowledgement",
                acknowledged,
                false,
            ),
            ("logs cut inside a frame", inside, false),
            (
                "logs with garbage after an acknowledgement",
                acknowledged,
                true,
            ),
        ] {
            cut(house, &town, &run, &mut round, (length, garbage))
                .await
                .with_context(|| format!("{what}, at {length} of {whole}"))?;
            round.note(|verdict| verdict.check(what));
        }
        rounds.judge(round);
    }
    Ok(())
}

/// Sign-ups and refreshes one after the other, and the length of the log after each answer; then it is killed.
async fn run(house: &House, town: &Town, round: &mut Round) -> Result<Run> {
    let name = format!("power-cut-{}", round.seed);
    let data = house.folder(&name).join("data");
    let mut service = house.start(&embedded(&data), &name).await?;
    let length = || -> Result<u64> { Ok(fs::metadata(data.join(LOG))?.len()) };
    let before = fs::read(data.join(FILE))?;
    let (mut clients, mut accounts, mut acknowledged) =
        (Vec::<Client>::new(), Vec::new(), Vec::new());
    for step in 0..PEOPLE + STEPS {
        let person = if step % 3 == 0 && clients.len() < PEOPLE || clients.is_empty() {
            let (account, client) = town.newcomer(service.url()).await?;
            accounts.push(account);
            clients.push(client);
            clients.len() - 1
        } else {
            let person = round.rng.usize(..clients.len());
            clients[person].advance().await?;
            person
        };
        acknowledged.push(Acknowledged {
            person,
            client: clients[person].clone(),
            log: length()?,
        });
    }
    service.kill().await?;
    ensure!(
        fs::read(data.join(FILE))? == before,
        "the file itself was written, so that its log is not all of the story"
    );
    Ok(Run {
        data,
        accounts,
        acknowledged,
    })
}

/// Starts on a log that ends there.
async fn cut(
    house: &House,
    town: &Town,
    run: &Run,
    round: &mut Round,
    (length, garbage): (u64, bool),
) -> Result<()> {
    let folder = folders::temporary("cut")?;
    let data = folder.path().join("data");
    copy(&run.data, &data)?;
    let mut log = fs::read(run.data.join(LOG))?;
    log.truncate(usize::try_from(length)?);
    if garbage {
        log.extend(std::iter::repeat_with(|| round.rng.u8(..)).take(usize::try_from(FRAME)?));
    }
    fs::write(data.join(LOG), log)?;
    let service = crate::harness::service::Instance::start(
        &house.binary,
        &embedded(&data),
        folder.path().to_owned(),
    )
    .await?;
    let api = town.api(service.url(), &Journal::new());
    // Of each person the newest token that was acknowledged by then, and whether they can sign in.
    let mut missing = false;
    for (person, account) in run.accounts.iter().enumerate() {
        let signed_up = run
            .acknowledged
            .iter()
            .any(|known| known.person == person && known.log <= length);
        let answer = api.sign_in(account, None).await?.answer;
        let there = matches!(answer, Answer::Granted(_));
        let odd = !there && !matches!(answer, Answer::Refused(_));
        round.note(|verdict| {
            verdict.require(
                "accounts after a cut",
                !odd && (there || !signed_up),
                || format!("an account that was acknowledged: {answer:?}"),
            );
            verdict.require("orders of history", !(there && missing), || {
                "a later account is there without an earlier one".to_owned()
            });
        });
        missing |= !there;
        let newest = run
            .acknowledged
            .iter()
            .rev()
            .find(|known| known.person == person && known.log <= length);
        if let Some(newest) = newest {
            let reply = newest.client.at(&api).refresh().await?;
            let words = reply.words();
            round.note(|verdict| {
                verdict.require("rotations after a cut", reply.grant().is_some(), || {
                    format!("an acknowledged token: {words}")
                });
            });
        }
    }
    Ok(())
}

/// All but the log and its index.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_string_lossy().ends_with("-wal") && !name.to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
