//! `cargo xtask attack`: what an account service meets on its first day, against a process of the service that runs beside, on
//! 127.0.0.1 only. Each attack ends with a table of its goals, and fails if one is missed.

mod slow;

use anyhow::Result;
use clap::Subcommand;

use crate::interrupt::Interrupt;

/// Attacks.
#[derive(Debug, Subcommand)]
pub(crate) enum Attack {
    /// Clients that send their requests as slowly as they can: all are cut off in time, and honest ones notice nothing
    Slow(slow::Args),
}

/// Carries out an attack.
pub(crate) async fn run(attack: &Attack, interrupt: &Interrupt) -> Result<()> {
    match attack {
        Attack::Slow(args) => slow::run(args, interrupt).await,
    }
}
