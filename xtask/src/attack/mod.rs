//! `cargo xtask attack`: what an account service meets on its first day, against a process of the service that runs beside, on
//! 127.0.0.1 only. Each attack ends with a table of its goals, and fails if one is missed.

pub(crate) mod flood;
mod goals;
mod honest_refreshes;
mod slow;
mod target;
mod timing;

use anyhow::{Result, ensure};
use clap::Subcommand;

use crate::harness::interrupt::Interrupt;
use goals::Goals;

/// Attacks.
#[derive(Debug, Subcommand)]
pub(crate) enum Attack {
    /// Clients that send their requests as slowly as they can: all are cut off in time, and honest ones notice nothing
    Slow(slow::Args),
    /// Sign-ins without end: bounded memory, nothing but honest refusals, and refreshes that stay fast
    Flood(flood::Args),
    /// Who has an account? A classifier on the latency of sign-ins must not know
    Timing(timing::Args),
}

/// Carries out an attack.
pub(crate) async fn run(attack: &Attack, interrupt: &Interrupt) -> Result<()> {
    let goals: Goals = match attack {
        Attack::Slow(args) => slow::run(args, interrupt).await?,
        Attack::Flood(args) => flood::run(args, interrupt).await?,
        Attack::Timing(args) => timing::run(args, interrupt).await?,
    };
    print!("{goals}");
    ensure!(goals.are_met(), "a goal is not met");
    Ok(())
}
