//! `cargo xtask faults`: breaks the service, its stores, its disk and its clock, while people use it who remember every acknowledgement;
//! nothing acknowledged may be lost, and nothing revoked may come back.

mod args;
mod catalog;
mod claims;
mod client_ledger;
mod environment;
mod fault_window;
mod findings;
mod liveness;
mod process_memory;
mod report;
mod rollback_probe;
mod rounds;
mod scenario;
mod small_disk;
mod stall_monitor;
mod table_lock;

use std::{fs, time::Instant};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use self::args::Args;
use self::{
    catalog::Row,
    environment::{House, LeftOut},
    report::Report,
    rounds::Rounds,
};
use crate::harness::{
    interrupt::{Interrupt, Interrupted},
    service::Binary,
};

/// Breaks everything, reports, and fails if something did not hold.
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
    let mut house = interrupt.guard(House::new(args, binary, previous)).await?;
    let report = play(args, &mut house, interrupt).await;
    let closed = house.close().await;
    let report = report?;
    let table = report.table();
    print!("{table}");
    if let Some(file) = &args.table {
        fs::write(file, &table).with_context(|| format!("could not write {}", file.display()))?;
    }
    ensure!(report.is_met(), "something did not hold");
    closed
}

async fn play(args: &Args, house: &mut House, interrupt: &Interrupt) -> Result<Report> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    eprintln!("seed {seed}");
    let rows: Vec<_> = Row::value_variants()
        .iter()
        .copied()
        .filter(|row| args.only.is_empty() || args.only.contains(row))
        .collect();
    let progress = ProgressBar::new(args.rounds * rows.len() as u64).with_style(style());
    let mut report = Report::new(seed);
    for (number, row) in rows.into_iter().enumerate() {
        progress.set_message(row.name());
        let begun = Instant::now();
        let mut rounds = Rounds::new(
            row,
            seed,
            args.rounds,
            args.at_most.map(|most| begun + most),
            progress.clone(),
        );
        match interrupt.guard(row.play(house, &mut rounds)).await {
            Ok(()) => report.played(rounds, begun.elapsed()),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) if error.is::<LeftOut>() => {
                progress.suspend(|| eprintln!("{}: left out: {error}", row.name()));
                report.left_out(row, error.to_string());
            }
            Err(error) => {
                rounds.break_off(&error);
                report.played(rounds, begun.elapsed());
            }
        }
        progress.set_position(args.rounds * (number as u64 + 1));
    }
    progress.finish_and_clear();
    Ok(report)
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
