//! `revolve deliveries …`: the mails that are still to be sent, and those that were given up.

mod change;
mod list;
mod row;

use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;

/// What to do with deliveries.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum DeliveriesCommand {
    /// Lists the mails that wait or were given up, those that have been due for longest first
    ///
    /// What was sent is not kept. What was given up is kept for 7 days.
    List(list::Args),
    /// Shows a mail: how often it was tried, when it is tried next, and why it was not sent
    Show(list::ShowArgs),
    /// Sends mails that were tried before now, also those that were given up
    Retry(change::RetryArgs),
    /// Deletes mails without sending them
    Drop(change::DropArgs),
}

pub(super) async fn run(config: Config, command: DeliveriesCommand) -> Result<()> {
    match command {
        DeliveriesCommand::List(args) => list::run(&config, &args).await,
        DeliveriesCommand::Show(args) => list::show(&config, &args).await,
        DeliveriesCommand::Retry(args) => change::retry(&config, args).await,
        DeliveriesCommand::Drop(args) => change::drop(&config, args).await,
    }
}
