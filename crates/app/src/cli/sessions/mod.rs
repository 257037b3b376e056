//! `revolve sessions …`: what is known of an account's sessions.

mod list;

use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;

/// What to do with sessions.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// Lists the sessions of an account, live ones and ended ones whose rows are still kept, the newest first
    List(list::Args),
}

pub(super) async fn run(config: Config, command: SessionsCommand) -> Result<()> {
    match command {
        SessionsCommand::List(args) => list::run(&config, &args).await,
    }
}
