//! What the command line says.

use std::{path::PathBuf, time::Duration};

use super::cases::Case;
use crate::harness::stores;
use crate::harness::windows::WindowArgs;

/// Where to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Choice {
    /// One SQLite file
    Embedded,
    /// Redis and Postgres
    Server,
    /// Both, in turns
    #[default]
    Both,
}

/// Whom to attack, how often, and with what.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Attack what runs there, in place of instances that are built and started for it; once for each replica
    #[arg(long, value_name = "URL")]
    pub(crate) url: Vec<String>,
    /// Over which stores to start instances
    #[arg(long, value_enum, default_value_t = Choice::Both)]
    pub(crate) store: Choice,
    /// How many rounds, over all stores together
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub(crate) rounds: usize,
    /// Repeats the choices of another run
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Only these cases
    #[arg(long, value_enum, num_args = 1.., value_name = "CASE")]
    pub(crate) only: Vec<Case>,
    /// How to speak to another kind of server, such as xtask/profiles/oauth2.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Refresh tokens to begin with, one per line and round, for servers where the kit can't sign in
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,
    /// Write the result there, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Build the service with optimizations
    #[arg(long)]
    pub(crate) release: bool,
    /// Tell every round step by step, not only those that fail
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// So many rounds at a time
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub(crate) parallel: usize,
    /// The longest that a case may wait for a window to pass; others are left out
    #[arg(long, default_value = "1m", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) patience: Duration,
    #[command(flatten)]
    pub(crate) windows: WindowArgs,
    #[command(flatten)]
    pub(crate) stores: stores::Args,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            url: Vec::new(),
            store: Choice::default(),
            rounds: 200,
            seed: None,
            only: Vec::new(),
            profile: None,
            tokens: None,
            json: None,
            release: false,
            verbose: false,
            parallel: 32,
            patience: Duration::from_mins(1),
            windows: WindowArgs::default(),
            stores: stores::Args { local: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn nothing_said_is_the_default() {
        let said = Line::parse_from(["torture"]).args;
        assert_eq!(format!("{said:?}"), format!("{:?}", Args::default()));
    }
}
