//! `revolve api-keys …`: the keys that programs call the admin API with. A key is shown once, when it is made.

mod create;
mod list;

use super::{answer, user::announced};
use crate::{
    composition::{Purpose, manage_api_keys},
    config::Config,
};
use anyhow::{Result, bail};
use clap::Subcommand;
use revolve_domain::{model::ApiKeyId, ports::RevokeOutcome};

/// What to do with API keys.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ApiKeysCommand {
    /// Makes a key and prints it, this once
    Create(create::Args),
    /// Lists all keys, those that do not count any more included, the oldest first
    List(super::Format),
    /// Revokes a key: no request that begins afterwards is carried out with it
    Revoke(RevokeArgs),
}

/// Arguments of `revolve api-keys revoke`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct RevokeArgs {
    /// Its id, as in the list
    id: ApiKeyId,
}

pub(super) async fn run(config: Config, command: ApiKeysCommand) -> Result<()> {
    match command {
        ApiKeysCommand::Create(args) => create::run(&config, args).await,
        ApiKeysCommand::List(format) => list::run(&config, format).await,
        ApiKeysCommand::Revoke(args) => revoke(&config, &args).await,
    }
}

async fn revoke(config: &Config, args: &RevokeArgs) -> Result<()> {
    let telemetry = announced(config)?;
    let manage = manage_api_keys(config, Purpose::Change).await?;
    let outcome = manage.revoke(args.id).await?;
    telemetry.stop();
    match outcome {
        RevokeOutcome::Revoked => answer::text(&format!("{} is revoked\n", args.id)),
        RevokeOutcome::AlreadyRevoked => {
            answer::text(&format!("{} was revoked already\n", args.id))
        }
        RevokeOutcome::NotFound => bail!("there is no API key {}", args.id),
    }
}
