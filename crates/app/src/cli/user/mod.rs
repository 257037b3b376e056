//! `revolve user …`: what operators do with accounts. One file per subcommand; nothing secret is ever printed, but for a password that
//! was made a moment ago and hashes that are exported.

mod account;
mod add;
mod change;
mod confirm;
mod export;
mod import;
mod list;
mod password;
mod patience;
mod show;

pub(super) use account::{Named, instant, precise};

use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;

/// What to do with accounts.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Lists accounts by e-mail address
    List(list::Args),
    /// Shows an account
    Show(show::Args),
    /// Makes an account, by the rules of a sign-up; the password is read from standard input
    ///
    /// On a terminal it is asked for twice and not shown. It is never an argument: those are seen by everybody on the machine.
    Add(add::Args),
    /// Disables an account: it is signed out everywhere and can't be signed in to
    Disable(change::Sure),
    /// Lets a disabled account be used again; its user has to sign in
    Enable(change::Which),
    /// Deletes an account and ends its sessions, for good
    Delete(change::Sure),
    /// Ends all sessions of an account, or one
    SignOut(change::SignOutArgs),
    /// Writes all accounts with their password hashes, one JSON object per line, as `user import` reads them
    Export(export::Args),
    /// Imports accounts with the password hashes that they have, one JSON object per line. Running it again goes on where it was.
    Import(import::Args),
}

pub(super) async fn run(config: Config, command: UserCommand) -> Result<()> {
    match command {
        UserCommand::List(args) => list::run(&config, args).await,
        UserCommand::Show(args) => show::run(&config, &args).await,
        UserCommand::Add(args) => add::run(config, args).await,
        UserCommand::Disable(args) => change::disable(&config, &args).await,
        UserCommand::Enable(args) => change::enable(&config, &args).await,
        UserCommand::Delete(args) => change::delete(&config, &args).await,
        UserCommand::SignOut(args) => change::sign_out(&config, &args).await,
        UserCommand::Export(args) => export::run(&config, &args).await,
        UserCommand::Import(args) => import::run(config, &args).await,
    }
}
