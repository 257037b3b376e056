//! `revolve user recovery-link`: for an owner who has lost the way in and can't read the mailbox.

use super::{
    account::{Named, id_of, precise},
    change::announced,
};
use crate::{
    cli::{
        Format,
        answer::{self, CommandOutput},
    },
    composition::recovery_links,
    config::Config,
};
use anyhow::Result;
use revolve_domain::{journal::Actor, use_cases::RecoveryLinkError};
use secrecy::ExposeSecret;
use serde::Serialize;

/// Arguments of `revolve user recovery-link`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    user: Named,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    /// It is shown here and nowhere else.
    link: String,
    expires_at: String,
}

impl CommandOutput for Link {
    fn text(&self) -> String {
        format!("{}\ncounts once, until {}\n", self.link, self.expires_at)
    }
}

pub(super) async fn run(config: &Config, args: &Args) -> Result<()> {
    let telemetry = announced(config)?;
    let (users, links) = recovery_links(config).await?;
    let id = id_of(&*users, &args.user.name).await?;
    let id = id.ok_or_else(|| args.user.not_found())?;
    let link = match links.issue(id, Actor::Operator).await {
        Ok(link) => link,
        Err(RecoveryLinkError::NotFound) => return Err(args.user.not_found()),
        Err(error) => return Err(error.into()),
    };
    telemetry.stop();
    let shown = Link {
        link: link.url.expose_secret().to_owned(),
        expires_at: precise(link.expires_at),
    };
    answer::print(&shown, args.format)
}
