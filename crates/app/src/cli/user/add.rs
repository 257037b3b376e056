//! `revolve user add` and `revolve user invite`: accounts that an operator makes for users.

use super::{
    change::announced,
    password::{self, Source},
    set::json,
};
use crate::{
    cli::{
        Format,
        answer::{self, CommandOutput},
    },
    composition::{Purpose, add_account},
    config::Config,
};
use anyhow::{Context, Result, anyhow};
use revolve_domain::{
    journal::Actor,
    model::{
        AppData, Details, EmailAddress, FieldError, Label, Locale, Password, Role, Roles, User,
        UserId, WebUrl,
    },
    use_cases::{AddAccountRequest, FirstAccess},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Arguments of `revolve user add`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    account: NewAccount,
    /// Makes a password and prints it, this once
    #[arg(long)]
    generate: bool,
    #[command(flatten)]
    format: Format,
}

/// Arguments of `revolve user invite`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct InviteArgs {
    #[command(flatten)]
    account: NewAccount,
    #[command(flatten)]
    format: Format,
}

/// The account to make.
#[derive(Clone, Debug, clap::Args)]
struct NewAccount {
    /// The address to sign in with
    #[arg(value_parser = EmailAddress::parse)]
    email: EmailAddress,
    /// The name to show
    #[arg(long, value_parser = Label::parse)]
    name: Option<Label>,
    /// A home page
    #[arg(long, value_name = "URL", value_parser = WebUrl::parse)]
    website: Option<WebUrl>,
    /// A picture
    #[arg(long, value_name = "URL", value_parser = WebUrl::parse_public)]
    image_url: Option<WebUrl>,
    /// The language of the mails, such as `de-CH`
    #[arg(long, value_name = "TAG", value_parser = locale)]
    locale: Option<Locale>,
    /// Its owner is known to read the address
    #[arg(long)]
    verified: bool,
    /// A role; may come several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// The app data: a JSON object, or a file with one
    #[arg(long, value_name = "JSON|FILE")]
    app: Option<String>,
    /// The id to have, such as that of another system; a new one by default
    #[arg(long, value_name = "UUID", value_parser = UserId::choose)]
    id: Option<UserId>,
}

fn locale(tag: &str) -> Result<Locale, FieldError> {
    Ok(tag.parse()?)
}

impl NewAccount {
    /// Blocks for as long as it takes to read a file.
    fn request(self, access: FirstAccess) -> Result<AddAccountRequest> {
        let app = match &self.app {
            Some(app) => {
                AppData::from_value(json(app)?).map_err(|error| anyhow!("the app data {error}"))?
            }
            None => AppData::default(),
        };
        Ok(AddAccountRequest {
            email: self.email,
            access,
            details: Details {
                name: self.name,
                website: self.website,
                image_url: self.image_url,
                locale: self.locale,
            },
            email_verified: self.verified,
            roles: Roles::new(self.roles).map_err(|error| anyhow!("the roles: {error}"))?,
            app,
            id: self.id,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    uid: String,
    email: String,
    /// Only if it was generated: it is shown here and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// What was done.
    #[serde(skip)]
    done: &'static str,
}

impl CommandOutput for Added {
    fn text(&self) -> String {
        let Self {
            uid,
            email,
            password,
            done,
        } = self;
        let password = password
            .as_ref()
            .map(|password| format!("password: {password}\n"))
            .unwrap_or_default();
        format!("{done} {email}: {uid}\n{password}")
    }
}

pub(super) async fn run(config: Config, args: Args) -> Result<()> {
    let source = if args.generate {
        Source::Generated
    } else {
        Source::Operator
    };
    let (min_length, account) = (config.passwords.min_length, args.account);
    let prepare = move || {
        let text = password::obtain(source)?;
        let password =
            Password::choose(&text, min_length).map_err(|fault| anyhow!("the password {fault}"))?;
        let request = account.request(FirstAccess::Password(password))?;
        Ok::<(SecretString, AddAccountRequest), anyhow::Error>((text, request))
    };
    let (text, request) = tokio::task::spawn_blocking(prepare)
        .await
        .context("the arguments")??;
    let user = add(config, request, Purpose::Create).await?;
    let password = args.generate.then(|| text.expose_secret().to_owned());
    say(&user, password, "added", args.format)
}

/// The mail is sent by the services that run.
pub(super) async fn invite(config: Config, args: InviteArgs) -> Result<()> {
    let account = args.account;
    let request = tokio::task::spawn_blocking(move || account.request(FirstAccess::Invitation))
        .await
        .context("the arguments")??;
    let user = add(config, request, Purpose::Change).await?;
    say(&user, None, "invited", args.format)
}

async fn add(config: Config, request: AddAccountRequest, purpose: Purpose) -> Result<User> {
    let telemetry = announced(&config)?;
    let add = add_account(&config, purpose).await?;
    drop(config);
    let user = add.execute(request, Actor::Operator).await?;
    telemetry.stop();
    Ok(user)
}

fn say(user: &User, password: Option<String>, done: &'static str, format: Format) -> Result<()> {
    let added = Added {
        uid: user.id.to_string(),
        email: user.email.as_str().to_owned(),
        password,
        done,
    };
    answer::print(&added, format)
}
