//! The power fails while the embedded store writes: only the part of its log that reached the disk remains.
//!
//! With `synchronous = FULL` a commit is answered after its part of the log is synced; what comes after it may be there in part, or as garbage.
//! So a recorded log is cut after frames, inside frames and with garbage behind, and the service is started on each: it opens, and has
//! everything that was acknowledged before the log had that length.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::time::sleep;

use crate::{
    faults::{
        environment::Environment,
        rounds::{Round, Rounds},
        scenario::Scenario,
        stack::embedded_settings,
    },
    harness::{
        client::Client,
        folders,
        journal::Journal,
        profile::{Account, Answer},
        service::Instance,
    },
};

/// A log's header; a frame's header and page (SQLite's file format).
const HEADER: u64 = 32;
const FRAME: u64 = 24 + 4096;
const USERS: usize = 4;
const STEPS: usize = 10;
const FILE: &str = "revolve.sqlite3";
const LOG: &str = "revolve.sqlite3-wal";
/// The first pruning is over within this.
const EMPTIED: Duration = Duration::from_secs(20);

/// A client after an acknowledgement, and the length of the log then.
struct Acknowledged {
    user: usize,
    client: Client,
    log: u64,
}

/// The files of a service that was killed, and what it had acknowledged.
struct Recording {
    data: PathBuf,
    accounts: Vec<Account>,
    acknowledged: Vec<Acknowledged>,
}

/// The service starts on every cut log, with everything acknowledged before the cut.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let scenario = env.scenario("power-cut")?;
    while let Some(mut round) = rounds.next() {
        let recording = record(env, &scenario, &mut round).await?;
        let whole = fs::metadata(recording.data.join(LOG))
            .context("there is no log")?
            .len();
        let frames = (whole - HEADER) / FRAME;
        let boundary = HEADER + FRAME * round.rng.u64(..=frames);
        let acknowledged =
            recording.acknowledged[round.rng.usize(..recording.acknowledged.len())].log;
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
            cut(env, &scenario, &recording, &mut round, (length, garbage))
                .await
                .with_context(|| format!("{what}, at {length} of {whole}"))?;
            round.record(|findings| findings.check(what));
        }
        rounds.finish(round);
    }
    Ok(())
}

/// Sign-ups and refreshes one after the other, and the length of the log after each; then the service is killed.
async fn record(env: &Environment, scenario: &Scenario, round: &mut Round) -> Result<Recording> {
    let name = format!("power-cut-{}", round.seed);
    let data = env.folder(&name).join("data");
    let mut service = env.start_service(&embedded_settings(&data), &name).await?;
    let length = || -> Result<u64> { Ok(fs::metadata(data.join(LOG))?.len()) };
    // The first pruning, soon after the start, makes the log part of the file. From then on the log is the whole history.
    let begun = Instant::now();
    while length()? > 0 {
        ensure!(begun.elapsed() < EMPTIED, "the log was not emptied");
        sleep(Duration::from_millis(20)).await;
    }
    let before = fs::read(data.join(FILE))?;
    let (mut clients, mut accounts, mut acknowledged) =
        (Vec::<Client>::new(), Vec::new(), Vec::new());
    for step in 0..USERS + STEPS {
        let user = if step % 3 == 0 && clients.len() < USERS || clients.is_empty() {
            let (account, client) = scenario.sign_up(service.url()).await?;
            accounts.push(account);
            clients.push(client);
            clients.len() - 1
        } else {
            let user = round.rng.usize(..clients.len());
            clients[user].advance().await?;
            user
        };
        acknowledged.push(Acknowledged {
            user,
            client: clients[user].clone(),
            log: length()?,
        });
    }
    service.kill().await?;
    ensure!(
        fs::read(data.join(FILE))? == before,
        "the file itself was written, so its log is not the whole history"
    );
    Ok(Recording {
        data,
        accounts,
        acknowledged,
    })
}

/// Starts the service on a log of this length, with garbage behind it or not.
async fn cut(
    env: &Environment,
    scenario: &Scenario,
    recording: &Recording,
    round: &mut Round,
    (length, garbage): (u64, bool),
) -> Result<()> {
    let folder = folders::temporary("power-cut")?;
    let data = folder.path().join("data");
    copy(&recording.data, &data)?;
    let mut log = fs::read(recording.data.join(LOG))?;
    log.truncate(usize::try_from(length)?);
    if garbage {
        log.extend(std::iter::repeat_with(|| round.rng.u8(..)).take(usize::try_from(FRAME)?));
    }
    fs::write(data.join(LOG), log)?;
    let service = Instance::start(
        &env.binary,
        &embedded_settings(&data),
        folder.path().to_owned(),
    )
    .await?;
    let api = scenario.api(service.url(), &Journal::new());
    // For each user: whether a sign-in succeeds, and the newest token that was acknowledged by then.
    let mut missing = false;
    for (user, account) in recording.accounts.iter().enumerate() {
        let signed_up = recording
            .acknowledged
            .iter()
            .any(|known| known.user == user && known.log <= length);
        let answer = api.sign_in(account, None).await?.answer;
        let there = matches!(answer, Answer::Granted(_));
        let odd = !there && !matches!(answer, Answer::Refused(_));
        round.record(|findings| {
            findings.require(
                "accounts after a cut",
                !odd && (there || !signed_up),
                || format!("an account that was acknowledged: {answer:?}"),
            );
            findings.require("orders of history", !(there && missing), || {
                "a later account is there without an earlier one".to_owned()
            });
        });
        missing |= !there;
        let newest = recording
            .acknowledged
            .iter()
            .rev()
            .find(|known| known.user == user && known.log <= length);
        if let Some(newest) = newest {
            let reply = newest.client.at(&api).refresh().await?;
            let words = reply.words();
            round.record(|findings| {
                findings.require("rotations after a cut", reply.grant().is_some(), || {
                    format!("an acknowledged token: {words}")
                });
            });
        }
    }
    Ok(())
}

/// Copies every file but the log and its index. Mails are in a folder of their own.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let is_log = text.ends_with("-wal") || text.ends_with("-shm");
        if entry.file_type()?.is_file() && !is_log {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
