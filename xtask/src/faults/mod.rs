//! `cargo xtask faults`: breaks the service, its stores, its disk, its clock, its mail server and endpoints of webhooks while clients use it that
//! remember every acknowledgement. Nothing acknowledged may be lost, and nothing revoked may work again.

mod args;
mod catalog;
mod claims;
mod client_ledger;
mod clients;
mod environment;
mod fault_window;
mod findings;
mod liveness;
mod mail;
mod postgres_pair;
mod process_memory;
mod report;
mod rollback_probe;
mod rounds;
mod scenario;
mod skipped;
mod small_disk;
mod stack;
mod stall_monitor;
mod table_lock;
mod user_database;
mod webhooks;

use std::{fs, time::Instant};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;

pub(crate) use self::args::Args;
use self::{
    catalog::CatalogFault, environment::Environment, report::FaultReport, rounds::Rounds,
    skipped::Skipped,
};
use crate::harness::{
    interrupt::{Interrupt, Interrupted},
    progress,
    service::Binary,
};

/// Causes the faults, reports, and fails if something is violated.
pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let previous = match &args.previous {
        Some(commit) => {
            eprintln!("building the service as of {commit}");
            Some(Binary::build_commit(commit, interrupt).await?)
        }
        None => None,
    };
    eprintln!("building the service");
    let binary = Binary::build(args.release, interrupt).await?;
    let started = Environment::start(args.containers, binary, previous);
    let mut env = interrupt.guard(started).await?;
    let report = run_faults(args, &mut env, interrupt).await;
    let stopped = env.shut_down().await;
    let report = report?;
    let table = report.table();
    print!("{table}");
    if let Some(file) = &args.table {
        fs::write(file, &table).with_context(|| format!("could not write {}", file.display()))?;
    }
    ensure!(report.is_met(), "something is violated, see above");
    stopped
}

async fn run_faults(
    args: &Args,
    env: &mut Environment,
    interrupt: &Interrupt,
) -> Result<FaultReport> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    eprintln!("seed {seed}");
    let faults: Vec<_> = CatalogFault::value_variants()
        .iter()
        .copied()
        .filter(|fault| args.only.is_empty() || args.only.contains(fault))
        .collect();
    let progress = progress::bar(args.rounds() * faults.len() as u64);
    let mut report = FaultReport::new(seed);
    for (number, fault) in faults.into_iter().enumerate() {
        let name = fault.name();
        progress.set_message(name);
        let begun = Instant::now();
        let until = args.at_most().map(|most| begun + most);
        let mut rounds = Rounds::new(name, seed, args.rounds(), until, progress.clone());
        match interrupt.guard(fault.run(env, &mut rounds)).await {
            Ok(()) => report.ran(rounds, begun.elapsed()),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) if error.is::<Skipped>() => {
                progress.suspend(|| eprintln!("{name}: skipped: {error}"));
                report.skipped(name, error.to_string());
            }
            Err(error) => {
                rounds.fail(&error);
                report.ran(rounds, begun.elapsed());
            }
        }
        progress.set_position(args.rounds() * (number as u64 + 1));
    }
    progress.finish_and_clear();
    Ok(report)
}
