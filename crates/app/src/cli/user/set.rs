//! `revolve user set`: what an account shows, by the use case of the operators' API.

use super::{
    account::Named,
    change::{announced, done},
};
use crate::{
    composition::{Purpose, operator_tools},
    config::Config,
};
use anyhow::{Context, Result, anyhow, bail};
use revolve_domain::{
    journal::Actor,
    model::{
        AccountVersion, AppData, AppPatch, DetailsChange, EmailAddress, FieldError, Label, Locale,
        Role, RolesPatch, WebUrl,
    },
    use_cases::{AccountPatch, ChangeAccountError},
};
use serde_json::Value;
use std::{fs, io, path::Path};

/// Arguments of `revolve user set`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    user: Named,
    #[command(flatten)]
    changes: Changes,
    /// Only if the account has this version, as `user show` tells it
    #[arg(long, value_name = "VERSION", value_parser = version)]
    if_version: Option<AccountVersion>,
}

/// What changes.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Another address to sign in with; it is not verified, unless --verified says so. Its owner is told, where mail is set up
    #[arg(long, value_parser = EmailAddress::parse)]
    email: Option<EmailAddress>,
    /// Whether the owner has proved to read the address
    #[arg(long, value_name = "true|false")]
    verified: Option<bool>,
    /// The name to show; an empty one for none
    #[arg(id = "shown_name", long = "name", value_name = "NAME", value_parser = given(Label::parse))]
    name: Option<Given<Label>>,
    /// A home page; an empty one for none
    #[arg(long, value_name = "URL", value_parser = given(WebUrl::parse))]
    website: Option<Given<WebUrl>>,
    /// A picture; an empty one for none
    #[arg(long, value_name = "URL", value_parser = given(WebUrl::parse_public))]
    image_url: Option<Given<WebUrl>>,
    /// The language of the mails, such as `de-CH`; an empty one for none
    #[arg(long, value_name = "TAG", value_parser = given(locale))]
    locale: Option<Given<Locale>>,
    /// A role to add; may come several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// A role to remove; may come several times
    #[arg(long = "remove-role", value_name = "ROLE")]
    removed_roles: Vec<Role>,
    /// All app data: a JSON object, or a file with one; `-` for standard input, `{}` for none
    #[arg(long, value_name = "JSON|FILE")]
    app: Option<String>,
    /// Members of the app data to change, as a merge patch (RFC 7396): a JSON object, or a file with one; `-` for standard input
    #[arg(long, value_name = "JSON|FILE", conflicts_with = "app")]
    merge_app: Option<String>,
}

/// A value, or none in its place.
#[derive(Clone, Debug)]
struct Given<T>(Option<T>);

/// An empty text stands for no value.
fn given<T>(
    parse: fn(&str) -> Result<T, FieldError>,
) -> impl Fn(&str) -> Result<Given<T>, FieldError> + Clone {
    move |text| {
        let value = (!text.is_empty()).then(|| parse(text));
        value.transpose().map(Given)
    }
}

fn locale(text: &str) -> Result<Locale, FieldError> {
    Ok(text.parse::<Locale>()?)
}

fn version(text: &str) -> Result<AccountVersion, &'static str> {
    let version = text.parse().ok().and_then(AccountVersion::new);
    version.ok_or("is not a version of an account")
}

impl Changes {
    /// Blocks for as long as it takes to read a file.
    fn patch(self) -> Result<AccountPatch> {
        let app = match (self.app, self.merge_app) {
            (Some(app), _) => {
                let data = AppData::from_value(json(&app)?);
                let data = data.map_err(|error| anyhow!("the app data {error}"))?;
                Some(AppPatch::Set(data))
            }
            (None, Some(patch)) => match json(&patch)? {
                Value::Object(patch) => Some(AppPatch::Merge(patch)),
                _ => bail!("the app data {}", FieldError::NotAnObject),
            },
            (None, None) => None,
        };
        let is_adjusted = !(self.roles.is_empty() && self.removed_roles.is_empty());
        Ok(AccountPatch {
            details: DetailsChange {
                name: self.name.map(|Given(name)| name),
                website: self.website.map(|Given(url)| url),
                image_url: self.image_url.map(|Given(url)| url),
                locale: self.locale.map(|Given(locale)| locale),
                email: self.email,
            },
            email_verified: self.verified,
            roles: is_adjusted.then_some(RolesPatch::Adjust {
                add: self.roles,
                remove: self.removed_roles,
            }),
            app,
        })
    }
}

/// The argument itself where it can be an object, else the file of that name.
pub(super) fn json(argument: &str) -> Result<Value> {
    let text = match argument {
        "-" => io::read_to_string(io::stdin()).context("standard input")?,
        object if object.trim_start().starts_with('{') => object.to_owned(),
        file => fs::read_to_string(Path::new(file)).with_context(|| file.to_owned())?,
    };
    serde_json::from_str(&text).context("the app data is not JSON")
}

pub(super) async fn run(config: &Config, args: Args) -> Result<()> {
    let changes = args.changes;
    let patch = tokio::task::spawn_blocking(move || changes.patch())
        .await
        .context("the arguments")??;
    let telemetry = announced(config)?;
    let tools = operator_tools(config, Purpose::Change).await?;
    let before = args.user.find(&tools.manage).await?;
    let changed = tools
        .change
        .execute(before.id, &patch, args.if_version, Actor::Operator)
        .await;
    let after = match changed {
        Ok(after) => after,
        Err(ChangeAccountError::NotFound) => return Err(args.user.not_found()),
        Err(ChangeAccountError::VersionMismatch { current }) => {
            bail!("the account was changed meanwhile: it has version {current}")
        }
        Err(error) => return Err(error.into()),
    };
    let said = if before.version == after.version {
        "is as it was; nothing was to be done"
    } else {
        "is changed"
    };
    let said = format!("{} {said}\n", after.email.as_str());
    done(&tools, telemetry, &said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        let arguments = ["set", "ann@example.org"].iter().chain(arguments);
        Command::try_parse_from(arguments).map(|command| command.args)
    }

    fn patch(arguments: &[&str]) -> AccountPatch {
        parse(arguments).unwrap().changes.patch().unwrap()
    }

    #[test]
    fn what_is_not_named_stays() {
        let patch = patch(&["--name", "", "--verified", "false", "--role", "admin"]);
        assert_eq!(
            (patch.details.name, patch.email_verified),
            (Some(None), Some(false))
        );
        assert_eq!(patch.details.website, None);
        assert_eq!(patch.app, None);
        let admin = Role::parse("admin").unwrap();
        let adjust = RolesPatch::Adjust {
            add: vec![admin],
            remove: Vec::new(),
        };
        assert_eq!(patch.roles, Some(adjust));
    }

    #[test]
    fn app_data_is_an_argument_or_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "{ \"plan\": \"pro\" }\n").unwrap();
        let named = file.path().to_str().unwrap();
        let data = AppData::parse(r#"{"plan":"pro"}"#).unwrap();
        for argument in [named, r#"{"plan":"pro"}"#, r#" { "plan": "pro" } "#] {
            let set = patch(&["--app", argument]).app;
            assert_eq!(set, Some(AppPatch::Set(data.clone())), "{argument}");
            let merged = patch(&["--merge-app", argument]).app;
            let members = data.members().clone();
            assert_eq!(merged, Some(AppPatch::Merge(members)), "{argument}");
        }
        for bad in ["{", "no-such-file", r#"{"a":1"#] {
            let changes = parse(&["--app", bad]).unwrap().changes;
            assert!(changes.patch().is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_arguments_are_refused() {
        for bad in [
            &[][..],
            &["--role", "Admin"],
            &["--verified", "maybe"],
            &["--email", "ann"],
            &["--image-url", "https://localhost/a.png"],
            &["--if-version", "-1"],
            &["--app", "{}", "--merge-app", "{}"],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
