//! The service may open no more files.

use std::{fs, time::Duration};

use anyhow::Result;
use tokio::{net::TcpStream, process::Command, time::sleep};

use super::journals;
use crate::{
    faults::{
        house::{House, LeftOut, Site},
        memory,
        rounds::Rounds,
    },
    process,
};

/// So many more than it has open.
const SPARE: usize = 12;
/// Connections that want one each.
const CONNECTIONS: usize = 64;
const FAULT: Duration = Duration::from_millis(800);
/// What it may take, and write to its log, at most, in bytes.
const MEMORY: u64 = 64 << 20;
const LOG: u64 = 1 << 20;

/// Who is connected is served; memory and log stay bounded; and it recovers when connections end, under the same limit.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let site = Site::open(house, "descriptors", &[]).await?;
    let mut people = site.town.people();
    while let Some(mut round) = rounds.next() {
        let (town, service) = (&site.town, &site.service);
        let most = town
            .endure(&mut people, &mut round, async {
                let before = (memory::used(service)?, log(service)?);
                limit(memory::pid(service)?, memory::files(service)? + SPARE).await?;
                let address = service.url().trim_start_matches("http://");
                let mut held = Vec::new();
                for _ in 0..CONNECTIONS {
                    held.push(TcpStream::connect(address).await?);
                }
                sleep(FAULT).await;
                let after = (memory::used(service)?, log(service)?);
                drop(held);
                town.recover().await?;
                Ok((after.0.saturating_sub(before.0), after.1 - before.1))
            })
            .await?;
        round.note(|verdict| {
            verdict.require("bounds of memory", most.0 < MEMORY, || format!("{} bytes more memory", most.0));
            verdict.require("bounds of the log", most.1 < LOG, || format!("{} bytes more log", most.1));
        });
        rounds.judge(round, || journals(&mut people));
    }
    Ok(())
}

async fn limit(pid: u32, files: usize) -> Result<()> {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), &format!("--nofile={files}:")]);
    process::output(&mut command).await.map(drop).map_err(|error| LeftOut(format!("prlimit does not set limits here: {error:#}")).into())
}

fn log(service: &crate::torture::service::Instance) -> Result<u64> {
    Ok(fs::metadata(service.home().join("log"))?.len())
}
