//! `revolve user add`: an account that an operator makes for a user.

use super::{
    change::announced,
    password::{self, Source},
};
use crate::{
    cli::{
        Format,
        answer::{self, CommandOutput},
    },
    composition::add_account,
    config::Config,
};
use anyhow::{Context, Result, anyhow};
use revolve_domain::{
    model::{Details, EmailAddress, Label, Password},
    use_cases::AddAccountRequest,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Arguments of `revolve user add`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The address to sign in with
    #[arg(value_parser = EmailAddress::parse)]
    email: EmailAddress,
    /// The name to show
    #[arg(long, value_parser = Label::parse)]
    name: Option<Label>,
    /// Makes a password and prints it, this once
    #[arg(long)]
    generate: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    uid: String,
    email: String,
    /// Only if it was generated: it is shown here and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl CommandOutput for Added {
    fn text(&self) -> String {
        let Self {
            uid,
            email,
            password,
        } = self;
        let password = password
            .as_ref()
            .map(|password| format!("password: {password}\n"))
            .unwrap_or_default();
        format!("added {email}: {uid}\n{password}")
    }
}

pub(super) async fn run(config: Config, args: Args) -> Result<()> {
    let source = if args.generate {
        Source::Generated
    } else {
        Source::Operator
    };
    let text: SecretString = tokio::task::spawn_blocking(move || password::obtain(source))
        .await
        .context("the password")??;
    let password = Password::choose(&text, config.passwords.min_length)
        .map_err(|fault| anyhow!("the password {fault}"))?;
    let telemetry = announced(&config)?;
    let add = add_account(&config).await?;
    drop(config);
    let details = Details {
        name: args.name,
        ..Details::default()
    };
    let user = add
        .execute(AddAccountRequest {
            email: args.email,
            password,
            details,
        })
        .await?;
    telemetry.stop();
    let password = args.generate.then(|| text.expose_secret().to_owned());
    answer::print(
        &Added {
            uid: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            password,
        },
        args.format,
    )
}
