//! `revolve user show`: an account and how many sessions live.

use super::account::{AccountMembers, Named, instant};
use crate::{
    cli::{
        Format,
        answer::{self, CommandOutput},
    },
    composition::{Purpose, operator_tools},
    config::Config,
};
use anyhow::Result;
use revolve_domain::model::{Label, Locale, Role, User, WebUrl};
use serde::Serialize;
use std::fmt::Write;

/// Arguments of `revolve user show`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    user: Named,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(flatten)]
    account: AccountMembers<'a>,
    /// Sessions that have not ended.
    sessions: usize,
    #[serde(skip)]
    user: &'a User,
}

impl CommandOutput for Shown<'_> {
    fn text(&self) -> String {
        let (details, app) = (&self.user.details, &self.user.app);
        let roles: Vec<_> = self.user.roles.iter().map(Role::as_str).collect();
        let lines = [
            ("id", Some(self.user.id.to_string())),
            ("email", Some(self.user.email.as_str().to_owned())),
            (
                "name",
                details.name.as_ref().map(Label::as_str).map(str::to_owned),
            ),
            (
                "website",
                details
                    .website
                    .as_ref()
                    .map(WebUrl::as_str)
                    .map(str::to_owned),
            ),
            (
                "picture",
                details
                    .image_url
                    .as_ref()
                    .map(WebUrl::as_str)
                    .map(str::to_owned),
            ),
            (
                "language",
                details
                    .locale
                    .as_ref()
                    .map(Locale::as_str)
                    .map(str::to_owned),
            ),
            ("verified", self.user.email_verified_at.map(instant)),
            ("roles", (!roles.is_empty()).then(|| roles.join(", "))),
            ("app", (!app.is_empty()).then(|| app.to_json())),
            ("version", Some(self.user.version.to_string())),
            ("created", Some(instant(self.user.created_at))),
            ("disabled", self.user.disabled_at.map(instant)),
            ("sessions", Some(self.sessions.to_string())),
        ];
        let mut text = String::new();
        for (what, value) in lines {
            if let Some(value) = value {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{what:9} {value}");
            }
        }
        text
    }
}

pub(super) async fn run(config: &Config, args: &Args) -> Result<()> {
    let manage = operator_tools(config, Purpose::Read).await?.manage;
    let user = args.user.find(&manage).await?;
    let sessions = manage.live(user.id).await?.len();
    answer::print(
        &Shown {
            account: AccountMembers::from(&user),
            sessions,
            user: &user,
        },
        args.format,
    )
}
