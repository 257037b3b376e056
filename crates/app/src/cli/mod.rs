//! The `revolve` command: one file per subcommand.

mod hash;
mod healthcheck;
mod serve;
mod user;

use crate::{
    config::Config,
    keys::{self, KeysCommand},
};
use anyhow::Result;
use clap::{Parser, Subcommand};
use hash::HashCommand;
use std::{path::PathBuf, process::ExitCode};
use user::UserCommand;

/// A self-hosted account service with revolving refresh tokens.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// A configuration file, in place of those in config/.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop (what it does without a command, too).
    Serve,
    /// Lists and changes the keys that sign tokens.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Finds out what a password hash may cost.
    Hash {
        #[command(subcommand)]
        command: HashCommand,
    },
    /// Manages accounts.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Asks the service on this machine if it is ready; for images without a shell.
    Healthcheck,
}

/// Reads the arguments and the configuration, carries out the command, and says how the process ends: 2 for a mistake in either, 1 if
/// the command failed.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = match Config::load(cli.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(config),
        Command::Keys { command } => manage_keys(config, command),
        Command::Hash { command } => hash::run(&config, &command),
        Command::User { command } => actix_web::rt::System::new().block_on(user::run(config, command)),
        Command::Healthcheck => healthcheck::run(config.http.listen),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("revolve: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn manage_keys(config: Config, command: KeysCommand) -> Result<()> {
    actix_web::rt::System::new().block_on(async move {
        print!("{}", keys::run(config, command).await?);
        Ok(())
    })
}
