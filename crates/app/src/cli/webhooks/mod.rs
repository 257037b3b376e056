//! `revolve webhooks …`: endpoints that are sent what happens. A secret is shown once, when it is made.

mod row;

use super::{Format, answer, refusal::Usage, user::announced};
use crate::{
    composition::{Purpose, manage_webhooks},
    config::Config,
};
use anyhow::{Result, anyhow};
use clap::Subcommand;
use revolve_domain::{
    journal::Actor,
    model::{Label, Timestamp, WebhookId},
    use_cases::{ManageWebhooks, NewWebhook, WebhookChange},
    webhooks::{EventFilter, WebhookUrl},
};
use row::{WebhookMembers, WebhookTable, WithBacklog, WithSecret};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What to do with webhooks.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum WebhooksCommand {
    /// Makes a webhook and prints its secret, this once; it gets what happens from now on
    Create(CreateArgs),
    /// Lists all webhooks, the oldest first
    List(Format),
    /// Shows a webhook, and what is on its way to it
    Show(Which),
    /// Changes a webhook, or switches it off or on
    Update(UpdateArgs),
    /// Deletes a webhook, with what is on its way to it
    Delete(Only),
    /// Sends the event webhook.tested to a webhook, whatever its filter
    Test(Only),
    /// Gives a webhook a new secret; the old one signs, too, for 24 hours
    Rotate(Which),
    /// Sends what the journal has of a time to a webhook once more
    Replay(ReplayArgs),
}

/// Arguments of `revolve webhooks create`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// What to call it: the program that gets the events
    #[arg(long, value_parser = Label::parse)]
    name: Label,
    /// Where it is; https
    #[arg(long)]
    url: WebhookUrl,
    /// What it gets, with commas between: names such as account.created, or groups such as session.*; everything by default
    #[arg(long, value_name = "NAMES", value_parser = filter, default_value = "")]
    events: EventFilter,
    #[command(flatten)]
    format: Format,
}

/// Arguments of `revolve webhooks update`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct UpdateArgs {
    /// Its id
    id: WebhookId,
    /// What to call it
    #[arg(long, value_parser = Label::parse)]
    name: Option<Label>,
    /// Where it is; https
    #[arg(long)]
    url: Option<WebhookUrl>,
    /// What it gets, with commas between; empty: everything
    #[arg(long, value_name = "NAMES", value_parser = filter)]
    events: Option<EventFilter>,
    /// Sends to it from now on
    #[arg(long)]
    enable: bool,
    /// Sends nothing to it
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    #[command(flatten)]
    format: Format,
}

/// Which webhook.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Only {
    /// Its id
    id: WebhookId,
}

/// Which webhook, and how to answer.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Which {
    /// Its id
    id: WebhookId,
    #[command(flatten)]
    format: Format,
}

/// Arguments of `revolve webhooks replay`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// Its id
    id: WebhookId,
    /// From when on, such as 2030-03-17T17:46:40Z
    #[arg(long, value_parser = instant)]
    from: Timestamp,
    /// Before when; now by default
    #[arg(long, value_parser = instant)]
    to: Option<Timestamp>,
}

pub(super) async fn run(config: Config, command: WebhooksCommand) -> Result<()> {
    match command {
        WebhooksCommand::List(format) => {
            let manage = manage_webhooks(&config, Purpose::Read).await?;
            let all = manage.list().await?;
            let rows = all.iter().map(WebhookMembers::from).collect();
            answer::print(&WebhookTable(rows), format)
        }
        WebhooksCommand::Show(Which { id, format }) => {
            let manage = manage_webhooks(&config, Purpose::Read).await?;
            let (webhook, backlog) = (manage.find(id).await?, manage.backlog(id).await?);
            answer::print(&WithBacklog::new(&webhook, backlog), format)
        }
        WebhooksCommand::Create(args) => create(&config, args).await,
        WebhooksCommand::Update(args) => update(&config, args).await,
        WebhooksCommand::Delete(Only { id }) => {
            let said = changed(&config, async |manage| {
                manage.remove(id, Actor::Operator).await?;
                Ok(format!("{id} is deleted\n"))
            });
            answer::text(&said.await?)
        }
        WebhooksCommand::Test(Only { id }) => {
            let said = changed(&config, async |manage| {
                let event = manage.test(id, Actor::Operator).await?;
                Ok(format!(
                    "the event {event} is on its way, if the service runs\n"
                ))
            });
            answer::text(&said.await?)
        }
        WebhooksCommand::Rotate(Which { id, format }) => {
            let rotated = changed(&config, async |manage| {
                Ok(WithSecret::from(manage.rotate(id, Actor::Operator).await?))
            });
            answer::print(&rotated.await?, format)
        }
        WebhooksCommand::Replay(args) => {
            let to = args.to.unwrap_or(Timestamp::from_millis(i64::MAX));
            let said = changed(&config, async |manage| {
                let (from, actor) = (args.from, Actor::Operator);
                let count = manage.replay(args.id, from, to, actor).await?;
                Ok(format!("{count} events are on their way\n"))
            });
            answer::text(&said.await?)
        }
    }
}

async fn create(config: &Config, args: CreateArgs) -> Result<()> {
    let new = NewWebhook {
        name: args.name,
        url: args.url,
        events: args.events,
    };
    let created = changed(config, async |manage| {
        Ok(WithSecret::from(manage.create(new, Actor::Operator).await?))
    });
    answer::print(&created.await?, args.format)
}

async fn update(config: &Config, args: UpdateArgs) -> Result<()> {
    let change = WebhookChange {
        name: args.name,
        url: args.url,
        events: args.events,
        enabled: (args.enable || args.disable).then_some(args.enable),
    };
    if change.is_empty() {
        return Err(Usage("say what to change").into());
    }
    let webhook = changed(config, async |manage| {
        Ok(manage.change(args.id, &change, Actor::Operator).await?)
    });
    answer::print(&WebhookMembers::from(&webhook.await?), args.format)
}

/// Changes something, and says so as the service does.
async fn changed<T>(
    config: &Config,
    work: impl AsyncFnOnce(ManageWebhooks) -> Result<T>,
) -> Result<T> {
    let telemetry = announced(config)?;
    let done = work(manage_webhooks(config, Purpose::Change).await?).await;
    telemetry.stop();
    done
}

fn filter(text: &str) -> Result<EventFilter> {
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    Ok(EventFilter::choose(names)?)
}

fn instant(text: &str) -> Result<Timestamp> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(Timestamp::from)
        .map_err(|_| anyhow!("must be a time such as 2030-03-17T17:46:40Z"))
}
