//! `revolve api-keys create`

use super::super::{
    Format,
    answer::{self, CommandOutput},
    refusal::Usage,
    user::{announced, instant},
};
use crate::{
    composition::{Purpose, manage_api_keys},
    config::Config,
};
use anyhow::Result;
use revolve_domain::{
    model::{ApiKey, ApiKeyScope, Label},
    use_cases::ApiKeyRequest,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::time::Duration;

/// Arguments of `revolve api-keys create`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What to call it: the program that gets it
    #[arg(long, value_parser = Label::parse)]
    name: Label,
    /// What it may do, with commas between: users:read, users:write, sessions:write, events:read, deliveries:read, deliveries:write,
    /// webhooks:write, tokens:introspect
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    scopes: Vec<ApiKeyScope>,
    /// How long it counts, at most ten years
    #[arg(long, value_name = "TIME", default_value = "90days", value_parser = humantime::parse_duration)]
    expires: Duration,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    expires_at: String,
    /// It is shown here and nowhere else.
    key: String,
}

impl CommandOutput for Created {
    fn text(&self) -> String {
        format!(
            "key:     {}\nid:      {}\nname:    {}\nscopes:  {}\nexpires: {}\nThe key is not shown again.\n",
            self.key,
            self.id,
            self.name,
            self.scopes.join(", "),
            self.expires_at
        )
    }
}

pub(super) async fn run(config: &Config, args: Args) -> Result<()> {
    if args.expires.is_zero() || args.expires > ApiKey::LONGEST {
        return Err(Usage("--expires must be more than nothing and at most ten years").into());
    }
    let telemetry = announced(config)?;
    let manage = manage_api_keys(config, Purpose::Change).await?;
    let created = manage
        .create(ApiKeyRequest {
            name: args.name,
            scopes: args.scopes.into_iter().collect(),
            lifetime: args.expires,
        })
        .await?;
    telemetry.stop();
    let key = &created.key;
    answer::print(
        &Created {
            id: key.id.to_string(),
            name: key.name.as_str().to_owned(),
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            expires_at: instant(key.expires_at),
            key: created.secret.expose_secret().to_owned(),
        },
        args.format,
    )
}
