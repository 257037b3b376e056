//! `cargo xtask attack`: what an account service meets on its first day, against a process of the service on 127.0.0.1. Each attack ends with
//! a table of its goals, and fails if one is missed.

mod auc;
mod client;
mod factors;
mod findings;
pub(crate) mod flood;
mod goals;
mod honest_users;
mod imported;
mod mail;
mod sign_in_flood;
mod slow;
pub(crate) mod starvation;
mod target;
mod timing;

use anyhow::{Result, ensure};
use clap::Subcommand;

use self::goals::AttackGoals;
use crate::harness::interrupt::Interrupt;

/// Attacks.
#[derive(Debug, Subcommand)]
pub(crate) enum Attack {
    /// Send requests as slowly as possible: all slow clients are cut off in time, and honest ones notice nothing
    Slow(slow::Args),
    /// Sign in without end: memory is bounded, all refusals are honest, and refreshes stay fast
    Flood(flood::Args),
    /// Sign in without end as one account on many devices, from one network with many accounts, hanging up, and with the credentials of other
    /// accounts' devices: others are served in their turn
    Starvation(starvation::Args),
    /// Find out who has an account: a classifier on the latency of sign-ins and recoveries must not know
    Timing(timing::Args),
    /// Open every link of every mail and click every button before its reader does, and guess codes: no link is lost, and nothing is won
    Mail(mail::Args),
    /// Guess codes of factors with the right password, use one code twice, kill the service between the steps, and take times: nothing is won,
    /// nothing is half, and the owner signs in
    Factors(factors::Args),
}

pub(crate) async fn run(attack: &Attack, interrupt: &Interrupt) -> Result<()> {
    let goals: AttackGoals = match attack {
        Attack::Slow(args) => slow::run(args, interrupt).await?,
        Attack::Flood(args) => flood::run(args, interrupt).await?,
        Attack::Starvation(args) => starvation::run(args, interrupt).await?,
        Attack::Timing(args) => timing::run(args, interrupt).await?,
        Attack::Mail(args) => Box::pin(mail::run(args, interrupt)).await?,
        Attack::Factors(args) => Box::pin(factors::run(args, interrupt)).await?,
    };
    print!("{goals}");
    ensure!(goals.are_met(), "a goal is not met");
    Ok(())
}
