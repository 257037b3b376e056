//! What packagers need: completions for shells and manual pages. `cargo xtask completions` and `cargo xtask man` ask for
//! them, since only this binary knows its own commands.

use super::{Cli, answer};
use anyhow::{Context, Result};
use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// Version and what was built: `--version`. `-V` is for programs.
pub(super) const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit:  ",
    env!("REVOLVE_BUILD_COMMIT"),
    "\nbuilt:   ",
    env!("REVOLVE_BUILD_PROFILE"),
    ", ",
    env!("REVOLVE_BUILD_TARGET"),
    ", ",
    env!("REVOLVE_BUILD_RUSTC"),
);

#[derive(Subcommand)]
pub(super) enum DocumentCommand {
    /// Prints the completions for a shell
    #[command(hide = true)]
    Completions {
        /// Which
        shell: Shell,
    },
    /// Writes the manual pages into a folder
    #[command(hide = true)]
    Man {
        /// Where; it must be there
        folder: PathBuf,
    },
}

pub(super) fn run(command: DocumentCommand) -> Result<()> {
    let mut cli = Cli::command();
    match command {
        DocumentCommand::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut cli, "revolve", &mut script);
            answer::text(&String::from_utf8(script).context("a completion script is text")?)
        }
        DocumentCommand::Man { folder } => {
            // The manual is no place for a commit.
            let cli = cli
                .long_version(env!("CARGO_PKG_VERSION"))
                .disable_help_subcommand(true);
            clap_mangen::generate_to(cli, &folder)
                .with_context(|| format!("{} can't be written to", folder.display()))
        }
    }
}
