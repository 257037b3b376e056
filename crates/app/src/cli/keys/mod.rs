//! `revolve keys …`: what an operator sees of the keys and does with them. Nothing private is ever printed.

mod table;

use crate::{
    composition::{Purpose, key_store, manage_webhooks, reseal_factors},
    config::Config,
    keys::Material,
};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Subcommand, ValueEnum};
use revolve_adapters::{
    jose::Algorithm,
    system::{SystemClock, SystemEntropy},
};
use revolve_domain::{
    journal::Actor,
    keys::{IdKeys, KeyId, KeyKind, NotYet},
    ports::KeySet,
    use_cases::{KeepKeys, KeyChange, KeyPorts, ManageKeys, RetireOutcome, RotateOutcome},
};
use revolve_observe::telemetry::chain;
use serde_json::Value;
use std::{fmt::Write, sync::Arc};
use table::KeyTable;

/// Which tokens a key signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Use {
    /// ID tokens.
    #[default]
    Id,
    /// Refresh tokens.
    Refresh,
}

/// What to do with the keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Lists the keys of the user database and of files.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes the next key. It is published now and takes over by itself when all verifiers have had time to fetch it.
    Generate {
        /// What the key is for.
        #[arg(long, value_enum, default_value_t)]
        r#use: Use,
        /// RS256, PS256, ES256, EdDSA or Ed25519, in place of what is configured; for ID tokens.
        #[arg(long)]
        algorithm: Option<Algorithm>,
    },
    /// Lets the next key take over, which is made if there is none.
    Rotate {
        /// Whose key.
        #[arg(long, value_enum, default_value_t)]
        r#use: Use,
        /// At once, although services that keep the key set may not know the next key yet.
        #[arg(long)]
        now: bool,
    },
    /// Takes a key out of use: discards a next one, removes a retired one.
    Retire {
        /// Which; it may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: KeyId,
        /// At once, with all of the tokens that it signed: for a key that was stolen.
        #[arg(long)]
        now: bool,
    },
    /// Seals the keys that are sealed under one of secrets.previous_master_keys anew, under secrets.master_key, and the secrets of webhooks
    /// and of factors as well. The service goes on, and nobody is signed out.
    Reseal,
    /// Prints the public keys for ID tokens as a JWK set, or one of them as a JWK.
    ExportPublic {
        /// Which; it may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: Option<KeyId>,
    },
}

/// Carries out a command; what it answers is for standard output.
///
/// # Errors
/// A message that says what is wrong, or why it was not done.
pub async fn run(config: Config, command: KeysCommand) -> Result<String> {
    let configured: Algorithm = config
        .tokens
        .algorithm
        .parse()
        .map_err(|error| anyhow!("tokens.algorithm: {error}"))?;
    let changes = matches!(
        command,
        KeysCommand::Generate { .. }
            | KeysCommand::Rotate { .. }
            | KeysCommand::Retire { .. }
            | KeysCommand::Reseal
    );
    // First of all: a command that only reads makes no master key, either.
    let (repository, revoked) = key_store(
        &config,
        if changes {
            Purpose::Change
        } else {
            Purpose::Read
        },
    )
    .await?;
    let Material {
        vault,
        ring,
        id_keys,
        files,
        ..
    } = Material::new(&config, Arc::new(SystemEntropy))?;
    let (ring, policy) = (Arc::new(ring), config.tokens.key_policy());
    let others = match command {
        KeysCommand::Reseal => Some((
            manage_webhooks(&config, Purpose::Change).await?,
            reseal_factors(&config).await?,
        )),
        _ => None,
    };
    drop(config);
    let (maker, clock) = (Arc::new(vault), Arc::new(SystemClock));
    let keep = KeepKeys::new(KeyPorts {
        repository,
        revoked,
        maker,
        ring: ring.clone(),
        clock,
        entropy: Arc::new(SystemEntropy),
        actor: Actor::Operator,
        policy,
        id_keys,
    });
    if changes {
        // In a new store the first keys come first.
        for change in keep.execute().await? {
            if let KeyChange::Refused(kid) = change {
                eprintln!(
                    "removed {kid}: it was retired with --now, and had come back as after a restore"
                );
            }
        }
    }
    let manage = ManageKeys::new(keep);
    let kind = |r#use, algorithm: Option<Algorithm>| match r#use {
        Use::Id => Ok(KeyKind::Id(algorithm.unwrap_or(configured))),
        Use::Refresh if algorithm.is_some() => Err(anyhow!(
            "--algorithm is for ID tokens; refresh tokens are signed with HS256"
        )),
        Use::Refresh => Ok(KeyKind::Refresh),
    };
    Ok(match command {
        KeysCommand::List { json } => {
            let listed = KeyTable::new(&manage.list().await?, &files, id_keys == IdKeys::File);
            if json {
                listed.to_json()?
            } else {
                listed.to_table()
            }
        }
        KeysCommand::Generate { r#use, algorithm } => {
            let key = manage.generate(kind(r#use, algorithm)?).await?;
            let until = key.phase.until().map(table::instant).unwrap_or_default();
            format!(
                "made the next {} key for {} tokens: {}\nit signs from {until}\n",
                key.kind.algorithm_name(),
                key.kind.usage(),
                key.id
            )
        }
        KeysCommand::Rotate { r#use, now } => match manage.rotate(kind(r#use, None)?, now).await? {
            RotateOutcome::Rotated(promotion) => {
                let retired = promotion.retires.map(|(id, retired)| {
                    format!(
                        "{id} is retired and stays until {}\n",
                        table::instant(retired.until)
                    )
                });
                format!(
                    "{} signs from now on\n{}",
                    promotion.next,
                    retired.unwrap_or_default()
                )
            }
            RotateOutcome::Waits(id, NotYet(at)) => {
                let at = table::instant(at);
                format!(
                    "{id} is published and takes over by itself at {at}, when all verifiers have had time to fetch it (--now: at once)\n"
                )
            }
        },
        KeysCommand::Retire { kid, now } => match manage.retire(&kid, now).await? {
            RetireOutcome::Retired(retired) => format!(
                "{kid} is retired and stays until {}\n",
                table::instant(retired.until)
            ),
            RetireOutcome::Gone => format!("{kid} is gone\n"),
            RetireOutcome::Revoked => format!(
                "there is no key {kid} in the user database; if a restore brings it back, it is refused\n"
            ),
            RetireOutcome::NotRevoked(error) => format!(
                "{kid} is gone\na restore of an older backup would bring it back, because that could not be noted down ({}): run this \
                 command again once Redis answers\n",
                chain(&error)
            ),
        },
        KeysCommand::Reseal => {
            let resealed = manage.reseal().await?;
            let mut said = String::new();
            for id in &resealed {
                let _ = writeln!(said, "{id} is sealed under the present master key now");
            }
            let mut all_were = resealed.is_empty();
            if let Some((webhooks, factors)) = others {
                for id in webhooks.reseal(Actor::Operator).await? {
                    all_were = false;
                    let _ = writeln!(
                        said,
                        "the secret of webhook {id} is sealed under the present master key now"
                    );
                }
                let all = factors.execute().await?;
                if all.done > 0 {
                    all_were = false;
                    let _ = writeln!(
                        said,
                        "{} secrets of factors are sealed under the present master key now",
                        all.done
                    );
                }
                if !all.failed.is_empty() {
                    eprint!("{said}");
                    for (user, failure) in &all.failed {
                        eprintln!("not a secret of a factor of {user}: {}", chain(failure));
                    }
                    bail!(
                        "{} secrets of factors are as they were; reset the factors of these accounts",
                        all.failed.len()
                    );
                }
            }
            if all_were {
                said.push_str("all keys are sealed under the present master key already\n");
            }
            said
        }
        KeysCommand::ExportPublic { kid } => {
            manage.list().await?;
            let set: Value = serde_json::from_str(&ring.to_json()).context("the key set")?;
            format!("{:#}\n", exported(&set, kid.as_ref())?)
        }
    })
}

fn exported<'a>(set: &'a Value, kid: Option<&KeyId>) -> Result<&'a Value> {
    let Some(kid) = kid else { return Ok(set) };
    match set["keys"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|key| key["kid"] == kid.as_str())
    {
        Some(key) => Ok(key),
        None => bail!("there is no public key {kid}"),
    }
}
