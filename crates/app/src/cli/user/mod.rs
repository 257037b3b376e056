//! `revolve user …`: what operators do with accounts. One file per subcommand; nothing secret is ever printed, but for a password that
//! was made a moment ago and hashes that are exported.

mod account;
mod add;
mod change;
mod confirm;
mod export;
mod factors;
mod import;
mod list;
mod password;
mod patience;
mod recovery_link;
mod set;
mod show;

pub(super) use account::{Named, id_of, instant, precise};
pub(super) use change::announced;

use crate::config::Config;
use anyhow::Result;
use clap::Subcommand;

/// What to do with accounts.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Lists accounts by e-mail address: all, or those that the options say
    #[command(visible_alias = "find")]
    List(list::Args),
    /// Shows an account
    Show(show::Args),
    /// Makes an account, by the rules of a sign-up; the password is read from standard input
    ///
    /// On a terminal it is asked for twice and not shown. It is never an argument: those are seen by everybody on the machine.
    Add(Box<add::Args>),
    /// Makes an account without a password, and sends its owner a mail to choose one within three days
    Invite(Box<add::InviteArgs>),
    /// Makes a link with which an account's owner chooses a password, and prints it, this once
    ///
    /// For somebody who has lost the way in and can't read the mailbox. Whoever opens it has the account: make sure whom you give it to. It counts
    /// once, for an hour, and leads where mail.links.recovery says, or to the service's own page.
    RecoveryLink(recovery_link::Args),
    /// Changes what an account shows: address, details, roles, app data
    ///
    /// Nobody is signed out. Services that follow the revocation feed refuse the ID tokens of before within seconds, and clients refresh.
    Set(Box<set::Args>),
    /// Disables an account: it is signed out everywhere and can't be signed in to
    Disable(change::Sure),
    /// Lets a disabled account be used again; its user has to sign in
    Enable(change::Which),
    /// Deletes an account and ends its sessions, for good
    Delete(change::Sure),
    /// Ends all sessions of an account, or one
    SignOut(change::SignOutArgs),
    /// Shows what an account has set up to prove who its user is, or resets it
    ///
    /// For an owner who has lost the authenticator app, the passkeys and the recovery codes. Make sure whom you do it for.
    Factors(factors::Args),
    /// Writes all accounts with their password hashes, one JSON object per line, as `user import` reads them
    Export(export::Args),
    /// Imports accounts with the password hashes that they have, from here or from another system. Running it again goes on where it was
    Import(import::Args),
}

pub(super) async fn run(config: Config, command: UserCommand) -> Result<()> {
    match command {
        UserCommand::List(args) => list::run(&config, args).await,
        UserCommand::Show(args) => show::run(&config, &args).await,
        UserCommand::Add(args) => add::run(config, *args).await,
        UserCommand::Invite(args) => add::invite(config, *args).await,
        UserCommand::RecoveryLink(args) => recovery_link::run(&config, &args).await,
        UserCommand::Set(args) => set::run(&config, *args).await,
        UserCommand::Disable(args) => change::disable(&config, &args).await,
        UserCommand::Enable(args) => change::enable(&config, &args).await,
        UserCommand::Delete(args) => change::delete(&config, &args).await,
        UserCommand::SignOut(args) => change::sign_out(&config, &args).await,
        UserCommand::Factors(args) => factors::run(&config, args).await,
        UserCommand::Export(args) => export::run(&config, &args).await,
        UserCommand::Import(args) => import::run(config, &args).await,
    }
}
