//! Arguments of commands that other commands run.

use anyhow::Result;
use clap::{Args, Command};

/// What a command's arguments are if these words are on its command line.
pub(crate) fn parse<A: Args>(words: &[&str]) -> Result<A> {
    let command = A::augment_args(Command::new("xtask").no_binary_name(true));
    Ok(A::from_arg_matches(&command.try_get_matches_from(words)?)?)
}
