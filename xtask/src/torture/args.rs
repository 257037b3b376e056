//! The command line of `cargo xtask torture`.

use std::{path::PathBuf, time::Duration};

use super::cases::Case;
use crate::harness::{stores, windows::WindowArgs};

/// The stores of the instances that are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum StoreChoice {
    /// One SQLite file
    Embedded,
    /// Redis and Postgres
    Server,
    /// Both in turns
    #[default]
    Both,
}

/// Which servers to attack, how often, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Attack the server at this URL instead of building and starting one; once for each replica
    #[arg(long, value_name = "URL")]
    pub(crate) url: Vec<String>,
    /// The stores of the instances that are started
    #[arg(long, value_enum, default_value_t = StoreChoice::Both)]
    pub(crate) store: StoreChoice,
    /// Rounds, over all stores together
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(crate) rounds: usize,
    /// Repeat the choices of another run
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// Only these cases
    #[arg(long, value_enum, num_args = 1.., value_name = "CASE")]
    pub(crate) only: Vec<Case>,
    /// A description of another kind of server, such as xtask/profiles/oauth2.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Refresh tokens, one per line and round, for servers where sign-ins can't be automated
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// Write the result to this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Build the service with optimizations
    #[arg(long)]
    pub(crate) release: bool,
    /// Print the journal of every round, not only of those that fail
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Rounds at a time
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub(crate) parallel: usize,
    /// The longest that a case may wait for a window to pass; cases that wait longer are skipped
    #[arg(long, default_value = "1m", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) patience: Duration,
    #[command(flatten)]
    pub(crate) windows: WindowArgs,
    #[command(flatten)]
    pub(crate) stores: stores::Args,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::args;

    #[test]
    fn without_arguments_all_cases_run_over_both_stores() {
        let args: Args = args::parse(&[]).unwrap();
        assert_eq!(
            (args.store, args.rounds, args.parallel, args.patience),
            (StoreChoice::Both, 200, 32, Duration::from_mins(1))
        );
        assert!(args.url.is_empty() && args.only.is_empty() && !args.stores.local);
    }
}
