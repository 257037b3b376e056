//! What the command line says.

use std::time::Duration;

use super::catalog::Row;

/// Which faults, how often, and against what.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Only these faults
    #[arg(long, value_enum, num_args = 1.., value_name = "FAULT")]
    pub(crate) only: Vec<Row>,
    /// Rounds of each fault
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) rounds: u64,
    /// Repeats the choices of another run, or of one round of it
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Begin no more rounds of a fault after so long
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) at_most: Option<Duration>,
    /// The release before this one, a tag or a commit, to run beside it
    #[arg(long, value_name = "COMMIT")]
    pub(crate) previous: Option<String>,
    /// Redis and Postgres in containers; faults that need their files or processes are then left out
    #[arg(long)]
    pub(crate) containers: bool,
    /// Build the service with optimizations
    #[arg(long)]
    pub(crate) release: bool,
    /// Write the table there, too
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<std::path::PathBuf>,
}

impl Args {
    /// What every change has to pass: each fault, briefly.
    pub(crate) fn short() -> Self {
        Self {
            only: Vec::new(),
            rounds: 2,
            seed: None,
            at_most: Some(Duration::from_secs(4)),
            previous: None,
            containers: false,
            release: false,
            table: None,
        }
    }
}
