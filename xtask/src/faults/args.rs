//! The command line of `cargo xtask faults`.

use std::{path::PathBuf, time::Duration};

use super::catalog::CatalogFault;

/// Which faults, how often, and against what.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Only these faults
    #[arg(long, value_enum, num_args = 1.., value_name = "FAULT")]
    pub(crate) only: Vec<CatalogFault>,
    /// Run 20 rounds of each fault instead of 2 within 4 seconds
    #[arg(long)]
    pub(crate) long: bool,
    /// Rounds of each fault
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// Begin no more rounds of a fault after this time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    at_most: Option<Duration>,
    /// Repeat the choices of another run, or of one of its rounds
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// The previous release, a tag or a commit, to run beside this one
    #[arg(long, value_name = "COMMIT")]
    pub(crate) previous: Option<String>,
    /// Redis and Postgres in containers; faults that need their files or processes are skipped
    #[arg(long)]
    pub(crate) containers: bool,
    /// Build the service with optimizations
    #[arg(long)]
    pub(crate) release: bool,
    /// Write the table to this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
}

impl Args {
    /// Rounds of each fault.
    pub(super) fn rounds(&self) -> u64 {
        self.rounds.unwrap_or(if self.long { 20 } else { 2 })
    }

    /// The time after which no more rounds of a fault begin.
    pub(super) fn at_most(&self) -> Option<Duration> {
        let short = !self.long && self.rounds.is_none();
        self.at_most.or(short.then_some(Duration::from_secs(4)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::args;

    #[test]
    fn the_short_run_is_the_default_and_the_long_one_and_any_number_of_rounds_take_their_time() {
        for (words, rounds, at_most) in [
            (&[][..], 2, Some(4)),
            (&["--long"], 20, None),
            (&["--rounds", "500"], 500, None),
            (&["--long", "--at-most", "7m"], 20, Some(420)),
        ] {
            let args: Args = args::parse(words).unwrap();
            assert_eq!(
                (args.rounds(), args.at_most().map(|time| time.as_secs())),
                (rounds, at_most),
                "{words:?}"
            );
        }
    }
}
