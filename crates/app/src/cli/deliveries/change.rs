//! `revolve deliveries retry` and `drop`.

use crate::{
    cli::answer,
    composition::{Purpose, manage_deliveries},
    config::Config,
};
use anyhow::{Result, bail};
use revolve_domain::{
    deliveries::{DeliveryQuery, DeliveryState},
    journal::Actor,
    model::DeliveryId,
    use_cases::ManageDeliveries,
};
use std::{collections::HashSet, fmt::Write};

/// How many mails are changed at once.
const BATCH: usize = 1000;

/// Arguments of `revolve deliveries retry`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct RetryArgs {
    /// Their ids
    #[arg(value_name = "ID", required_unless_present = "given_up")]
    ids: Vec<DeliveryId>,
    /// All that were given up, in place of ids
    #[arg(long, conflicts_with = "ids")]
    given_up: bool,
}

/// Arguments of `revolve deliveries drop`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct DropArgs {
    /// Their ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<DeliveryId>,
}

pub(super) async fn retry(config: &Config, args: RetryArgs) -> Result<()> {
    let manage = manage_deliveries(config, Purpose::Change).await?;
    let ids = if args.given_up {
        given_up(&manage).await?
    } else {
        args.ids
    };
    let mut done = Vec::new();
    for batch in ids.chunks(BATCH) {
        done.extend(manage.retry(batch, Actor::Operator).await?);
    }
    tell(&ids, &done, "due now", "gone, being sent or not tried yet")
}

pub(super) async fn drop(config: &Config, args: DropArgs) -> Result<()> {
    let manage = manage_deliveries(config, Purpose::Change).await?;
    let mut done = Vec::new();
    for batch in args.ids.chunks(BATCH) {
        done.extend(manage.remove(batch).await?);
    }
    tell(&args.ids, &done, "dropped", "not there any more")
}

async fn given_up(manage: &ManageDeliveries) -> Result<Vec<DeliveryId>> {
    let query = DeliveryQuery {
        state: Some(DeliveryState::GivenUp),
        limit: u32::MAX,
    };
    let listed = manage.list(query).await?;
    Ok(listed.iter().map(|delivery| delivery.mail.id).collect())
}

/// Says what became of each; fails if something was not done.
fn tell(asked: &[DeliveryId], done: &[DeliveryId], was: &str, was_not: &str) -> Result<()> {
    let mut text = String::new();
    let changed: HashSet<_> = done.iter().collect();
    for id in asked {
        let is = if changed.contains(id) { was } else { was_not };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{id} is {is}");
    }
    if asked.is_empty() {
        text.push_str("there are no such mails\n");
    }
    answer::text(&text)?;
    match asked.len() - done.len().min(asked.len()) {
        0 => Ok(()),
        left => bail!("{left} of {} mails stayed as they were", asked.len()),
    }
}
