//! Statements for the embedded store, whose service may run meanwhile.

use std::{io, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags};

/// How long a statement waits for the service's own.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of `sqlite`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, which the service has made
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let statements = io::read_to_string(io::stdin())?;
    let database = Connection::open_with_flags(&args.file, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .with_context(|| format!("{} can't be opened", args.file.display()))?;
    database.busy_timeout(PATIENCE)?;
    database
        .execute_batch(&statements)
        .context("a statement failed")
}
