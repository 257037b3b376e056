//! `revolve deliveries list` and `show`.

use super::row::{DeliveryMembers, DeliveryTable};
use crate::{
    cli::{Format, answer},
    composition::{Purpose, manage_deliveries},
    config::Config,
};
use anyhow::{Result, bail};
use clap::ValueEnum;
use revolve_adapters::system::SystemClock;
use revolve_domain::{
    deliveries::{DeliveryQuery, DeliveryState},
    model::DeliveryId,
    ports::Clock,
};

/// Arguments of `revolve deliveries list`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// The most mails to list
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// Still to be sent, or being sent
    Waiting,
    /// Refused for good, or not taken in time
    #[value(name = "given_up")]
    GivenUp,
}

/// Arguments of `revolve deliveries show`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct ShowArgs {
    /// Its id
    id: DeliveryId,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(config: &Config, args: &Args) -> Result<()> {
    let manage = manage_deliveries(config, Purpose::Read).await?;
    let state = args.state.map(|state| match state {
        State::Waiting => DeliveryState::Waiting,
        State::GivenUp => DeliveryState::GivenUp,
    });
    let query = DeliveryQuery {
        state,
        limit: args.limit,
    };
    let (listed, now) = (manage.list(query).await?, SystemClock.now());
    let rows = listed.iter().map(|row| DeliveryMembers::new(row, now));
    answer::print(&DeliveryTable(rows.collect()), args.format)
}

pub(super) async fn show(config: &Config, args: &ShowArgs) -> Result<()> {
    let manage = manage_deliveries(config, Purpose::Read).await?;
    let Some(found) = manage.find(args.id).await? else {
        bail!(
            "there is no mail {}: it was sent, dropped or forgotten",
            args.id
        );
    };
    answer::print(
        &DeliveryMembers::new(&found, SystemClock.now()),
        args.format,
    )
}
