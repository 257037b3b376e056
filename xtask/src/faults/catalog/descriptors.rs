//! The service may open no more files.

use std::{fs, time::Duration};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    time::{Instant, sleep, timeout},
};

use crate::{
    faults::{
        environment::{House, LeftOut, Site},
        process_memory::{self, Memory},
        rounds::{Round, Rounds},
        scenario::Town,
    },
    harness::{api::Reply, client::Client, http::HttpClient, process, service::Instance},
};

/// So many more than it has open.
const SPARE: usize = 12;
/// Connections that want one each.
const CONNECTIONS: usize = 64;
const FAULT: Duration = Duration::from_millis(800);
/// Between two requests over the connection that was there before.
const PAUSE: Duration = Duration::from_millis(20);
/// What it may take, and write to its log, at most, in bytes.
const MEMORY: u64 = 64 << 20;
const LOG: u64 = 1 << 20;

/// What was seen while there were none.
struct Seen {
    /// What somebody heard who was connected before.
    connected: Vec<Reply>,
    /// Whether somebody new was served.
    newcomer: bool,
    /// More memory and log, in bytes.
    memory: u64,
    log: u64,
}

/// Who is connected is served, and who is not is not; memory and log stay bounded; and it recovers when connections end, under the same
/// limit.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let site = Site::open(house, "descriptors", &[]).await?;
    let mut people = site.town.people();
    while let Some(mut round) = rounds.next() {
        let (town, service) = (&site.town, &site.service);
        let mut client = connected(town, service, &round).await?;
        let seen = town
            .endure(&mut people, &mut round, async {
                let seen = exhaust(service, &mut client).await?;
                town.recover().await?;
                Ok(seen)
            })
            .await?;
        round.note(|verdict| {
            for reply in &seen.connected {
                verdict.require(
                    "answers to who was connected",
                    reply.grant().is_some(),
                    || format!("connected: {}", reply.words()),
                );
            }
            verdict.require("newcomers who were not served", !seen.newcomer, || {
                "somebody new was served: the limit was not reached".to_owned()
            });
            verdict.require("bounds of memory", seen.memory < MEMORY, || {
                format!("{} bytes more memory", seen.memory)
            });
            verdict.require("bounds of the log", seen.log < LOG, || {
                format!("{} bytes more log", seen.log)
            });
        });
        rounds.judge(round);
    }
    Ok(())
}

/// Somebody with a connection that nobody else uses.
async fn connected(town: &Town, service: &Instance, round: &Round) -> Result<Client> {
    let (_, mut client) = town.newcomer(service.url()).await?;
    client.api.http = HttpClient::new()?;
    round.keep(client.api.journal.clone());
    client.advance().await?;
    Ok(client)
}

async fn exhaust(service: &Instance, client: &mut Client) -> Result<Seen> {
    let (memory, before) = (Memory::from_now(service)?, log(service)?);
    limit(
        process_memory::pid(service)?,
        process_memory::files(service)? + SPARE,
    )
    .await?;
    let address = service.url().trim_start_matches("http://");
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(TcpStream::connect(address).await?);
    }
    // Behind them. The system accepts it, the service can't.
    let mut newcomer = TcpStream::connect(address).await?;
    newcomer
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: faults\r\n\r\n")
        .await?;
    let (begun, mut connected) = (Instant::now(), Vec::new());
    while begun.elapsed() < FAULT {
        let reply = client.refresh().await?;
        if let Some(grant) = reply.grant() {
            client.keep(grant.clone());
        }
        connected.push(reply);
        sleep(PAUSE).await;
    }
    // An answer would have been there for long; a connection that is closed is none.
    let newcomer = matches!(timeout(PAUSE, newcomer.read(&mut [0])).await, Ok(Ok(1..)));
    Ok(Seen {
        connected,
        newcomer,
        memory: memory.growth()?,
        log: log(service)?.saturating_sub(before),
    })
}

async fn limit(pid: u32, files: usize) -> Result<()> {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), &format!("--nofile={files}:")]);
    process::output(&mut command)
        .await
        .map(drop)
        .map_err(|error| LeftOut(format!("prlimit does not set limits here: {error:#}")).into())
}

fn log(service: &Instance) -> Result<u64> {
    Ok(fs::metadata(service.home().join("log"))?.len())
}
