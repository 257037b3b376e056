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
        environment::Environment,
        process_memory::{self, MemoryGrowth},
        rounds::{Round, Rounds},
        scenario::Scenario,
        skipped::Skipped,
        stack::ServerStack,
    },
    harness::{
        api::Reply,
        client::Client,
        http::{HttpClient, Request},
        process, raw_http,
        service::Instance,
    },
};

/// Files that it may open besides those that are open.
const SPARE: usize = 12;
/// Connections that need one each.
const CONNECTIONS: usize = 64;
const FAULT: Duration = Duration::from_millis(800);
/// Between two requests over the connection that was open before.
const PAUSE: Duration = Duration::from_millis(20);
/// More memory and log than it may take, in bytes.
const MEMORY: u64 = 64 << 20;
const LOG: u64 = 1 << 20;

struct Observed {
    /// Replies over a connection that was open before.
    connected: Vec<Reply>,
    /// Whether a new connection was served.
    new_served: bool,
    /// More memory and log, in bytes.
    memory: u64,
    log: u64,
}

/// Open connections are served, new ones are not; memory and log are bounded; and the service recovers under the same limit when connections
/// end.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stack = ServerStack::start(env, "descriptors", &[]).await?;
    let (scenario, service) = (&stack.scenario, &stack.service);
    while let Some(mut round) = rounds.next() {
        let mut client = connected(scenario, service, &round).await?;
        let fault = async {
            let observed = exhaust(service, &mut client).await?;
            scenario.wait_for_recovery().await?;
            Ok(observed)
        };
        let observed = stack.clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| {
            for reply in &observed.connected {
                findings.require(
                    "answers over an open connection",
                    reply.grant().is_some(),
                    || format!("an open connection: {}", reply.words()),
                );
            }
            findings.require(
                "new connections that were not served",
                !observed.new_served,
                || "a new connection was served: the limit was not reached".to_owned(),
            );
            findings.require("bounds of memory", observed.memory < MEMORY, || {
                format!("{} bytes more memory", observed.memory)
            });
            findings.require("bounds of the log", observed.log < LOG, || {
                format!("{} bytes more log", observed.log)
            });
        });
        rounds.finish(round);
    }
    Ok(())
}

/// A client with a connection of its own.
async fn connected(scenario: &Scenario, service: &Instance, round: &Round) -> Result<Client> {
    let (_, mut client) = scenario.sign_up(service.url()).await?;
    client.api.http = HttpClient::new()?;
    round.keep_journal(client.api.journal.clone());
    client.advance().await?;
    Ok(client)
}

async fn exhaust(service: &Instance, client: &mut Client) -> Result<Observed> {
    let (memory, before) = (MemoryGrowth::from_now(service)?, log_size(service)?);
    let limit = process_memory::open_files(service)? + SPARE;
    set_file_limit(process_memory::pid(service)?, limit).await?;
    let address = service.url().trim_start_matches("http://");
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(TcpStream::connect(address).await?);
    }
    // After them. The system accepts it, the service can't.
    let mut new = TcpStream::connect(address).await?;
    let request = Request::get(&format!("{}/health/live", service.url()))?;
    new.write_all(&raw_http::encode(&request)).await?;
    let (begun, mut connected) = (Instant::now(), Vec::new());
    while begun.elapsed() < FAULT {
        let reply = client.refresh().await?;
        if let Some(grant) = reply.grant() {
            client.keep(grant.clone());
        }
        connected.push(reply);
        sleep(PAUSE).await;
    }
    // A response would have arrived long ago; the end of the connection is none.
    let new_served = matches!(timeout(PAUSE, new.read(&mut [0])).await, Ok(Ok(1..)));
    Ok(Observed {
        connected,
        new_served,
        memory: memory.growth()?,
        log: log_size(service)?.saturating_sub(before),
    })
}

async fn set_file_limit(pid: u32, files: usize) -> Result<()> {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), &format!("--nofile={files}:")]);
    process::output(&mut command)
        .await
        .map(drop)
        .map_err(|error| Skipped(format!("prlimit does not set limits here: {error:#}")).into())
}

fn log_size(service: &Instance) -> Result<u64> {
    Ok(fs::metadata(service.home().join("log"))?.len())
}
