//! `revolve user …`: what operators do with accounts. One file per subcommand; nothing secret is ever printed.

mod import;

use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;

/// What to do with accounts.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Imports accounts with the password hashes that they have, one JSON object per line. Running it again goes on where it was.
    Import(import::Args),
}

pub(super) async fn run(config: Config, command: UserCommand) -> Result<()> {
    match command {
        UserCommand::Import(args) => import::run(config, &args).await,
    }
}
