//! The `revolve` command: one file per subcommand. Every command that needs the configuration reads it in the same way,
//! and reports all mistakes in it, one line each. A process ends with 0 if the command succeeded, with 1 if it failed,
//! with 2 for a mistake in the arguments or the configuration.

mod answer;
mod api_keys;
mod config;
mod deliveries;
mod doctor;
mod documents;
mod events;
mod hash;
mod healthcheck;
pub mod keys;
mod mail;
mod migrate;
mod refusal;
mod serve;
mod sessions;
mod signals;
mod user;
mod webhooks;

use crate::{
    config::{Config, ConfigError},
    load,
};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use hash::HashCommand;
use keys::KeysCommand;
use refusal::Usage;
use sessions::SessionsCommand;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};
use user::UserCommand;

/// A self-hosted account service with revolving refresh tokens.
///
/// Without a command it serves. It needs no configuration to be tried out: everything has a default.
#[derive(Parser)]
#[command(name = "revolve", version, long_version = documents::VERSION, about, after_help = AFTER)]
struct Cli {
    /// A configuration file, in place of config/revolve.toml and config/<profile>.toml; the environment still comes last
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER: &str = "\
Configuration: built-in defaults, then config/revolve.toml, then config/<profile>.toml, then REVOLVE__… variables.
  revolve config check       says what is wrong with it
  revolve config show        what holds, and why
  revolve config reference   everything that can be configured

Exit codes: 0 done, 1 failed, 2 a mistake in the arguments or the configuration.";

#[derive(Subcommand)]
enum Command {
    /// Serves until a signal stops it; the default without a command
    ///
    /// SIGTERM and SIGINT finish what is in flight and end it; SIGHUP reads the configuration anew and applies what needs
    /// no restart.
    Serve,
    /// Brings the tables of the user database up to date and ends
    ///
    /// Each start does the same, one process at a time; run it to migrate before the start.
    Migrate(Format),
    /// Checks, shows and explains the configuration
    Config {
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
    /// Lists and changes the keys that sign tokens
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Finds out what a password hash may cost
    Hash {
        #[command(subcommand)]
        command: HashCommand,
    },
    /// Manages accounts
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Shows the sessions of an account
    Sessions {
        #[command(subcommand)]
        command: SessionsCommand,
    },
    /// Shows the mails that are still to be sent, and changes what becomes of them
    Deliveries {
        #[command(subcommand)]
        command: deliveries::DeliveriesCommand,
    },
    /// Makes, lists and revokes the keys of the admin API
    ApiKeys {
        #[command(subcommand)]
        command: api_keys::ApiKeysCommand,
    },
    /// Manages webhooks: endpoints of your programs that are sent what happens
    Webhooks {
        #[command(subcommand)]
        command: webhooks::WebhooksCommand,
    },
    /// Shows mails, and tries whether they leave
    Mail {
        #[command(subcommand)]
        command: mail::MailCommand,
    },
    /// Shows what happened to accounts, sessions and keys, the newest last
    Events(events::Args),
    /// Checks stores, clocks, keys, files and limits, and advises what to do; changes nothing
    ///
    /// Ends with 1 if something is an error, warnings or not.
    Doctor(Format),
    /// Asks the service on this machine if it is ready; for images without a shell
    Healthcheck,
    #[command(flatten)]
    Documents(documents::DocumentCommand),
}

/// How a command answers.
#[derive(Args, Clone, Copy, Debug)]
struct Format {
    /// Answers as JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Reads the arguments and the configuration, runs the command, and answers the exit code.
pub fn main() -> ExitCode {
    let cli = if only_serves(std::env::args_os().skip(1)) {
        Cli {
            config: None,
            command: None,
        }
    } else {
        Cli::parse()
    };
    let done = run(cli.command.unwrap_or(Command::Serve), cli.config.as_deref());
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    if let Some(wrong) = error.downcast_ref::<ConfigError>() {
        eprintln!("{wrong}");
        return ExitCode::from(2);
    }
    eprintln!("revolve: {error:#}");
    if error.is::<Usage>() {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    }
}

/// Whether there is nothing to read: the tables of all commands need not be built then, which would stay in memory.
fn only_serves(mut arguments: impl Iterator<Item = OsString>) -> bool {
    match (arguments.next(), arguments.next()) {
        (None, _) => true,
        (Some(only), None) => only == "serve",
        _ => false,
    }
}

fn run(command: Command, file: Option<&Path>) -> Result<()> {
    match command {
        Command::Serve => serve::run(load(file)?, file),
        Command::Migrate(format) => migrate::run(read(file)?, format),
        Command::Config { command } => config::run(command, file),
        Command::Keys { command } => {
            let config = read(file)?;
            block_on(async { answer::text(&keys::run(config, command).await?) })
        }
        Command::Hash { command } => hash::run(&read(file)?, &command),
        Command::User { command } => block_on(user::run(read(file)?, command)),
        Command::Sessions { command } => block_on(sessions::run(read(file)?, command)),
        Command::Deliveries { command } => block_on(deliveries::run(read(file)?, command)),
        Command::ApiKeys { command } => block_on(api_keys::run(read(file)?, command)),
        Command::Webhooks { command } => block_on(webhooks::run(read(file)?, command)),
        Command::Mail { command } => block_on(mail::run(read(file)?, command)),
        Command::Events(args) => {
            let config = read(file)?;
            block_on(async { events::run(&config, &args).await })
        }
        Command::Doctor(format) => doctor::run(file, format),
        Command::Healthcheck => healthcheck::run(&read(file)?.http),
        Command::Documents(command) => documents::run(command),
    }
}

fn read(file: Option<&Path>) -> Result<Config, ConfigError> {
    load(file).map(|loaded| loaded.config)
}

/// Runs what a command does, on the runtime that the service has, too.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    actix_web::rt::System::new().block_on(work)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn only_what_says_nothing_else_serves_without_a_parser() {
        let only = |arguments: &[&str]| super::only_serves(arguments.iter().map(Into::into));
        assert!(only(&[]) && only(&["serve"]));
        for more in [
            &["--help"][..],
            &["serve", "--help"],
            &["serve", "serve"],
            &["doctor"],
            &["--config", "file"],
        ] {
            assert!(!only(more), "{more:?}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
