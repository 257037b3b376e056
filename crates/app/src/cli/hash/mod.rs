//! `revolve hash …`: what a password hash costs on this machine.

mod calibrate;

use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;

/// What to find out.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum HashCommand {
    /// Measures on this machine and proposes parameters for `[hashing]`. The service should not be running beside it.
    Calibrate(calibrate::Args),
}

pub(super) fn run(config: &Config, command: &HashCommand) -> Result<()> {
    match command {
        HashCommand::Calibrate(args) => {
            print!("{}", calibrate::run(&config.hashing, args)?);
            Ok(())
        }
    }
}
