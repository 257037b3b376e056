//! `revolve user factors`: what an account has set up, and a reset for an owner who has lost it.

use super::{
    account::{Named, instant, precise},
    change::{announced, done},
    confirm::confirm,
};
use crate::{
    cli::{
        Format,
        answer::{self, CommandOutput},
    },
    composition::{OperatorTools, Purpose, operator_tools},
    config::Config,
};
use anyhow::Result;
use revolve_domain::{
    journal::Actor,
    model::{AccountFactors, Label, Passkey, PendingReset, RecoveryCodes, User},
    use_cases::{ManageFactors, ResetFactorsError},
};
use serde::Serialize;
use std::fmt::Write;

/// Arguments of `revolve user factors`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    user: Named,
    /// Removes the authenticator app, all passkeys and all recovery codes, and ends all sessions, after accounts.factor_reset_delay. The owner is told
    /// by mail, and can stop it until then
    #[arg(long)]
    reset: bool,
    /// Does it now; nobody can stop it
    #[arg(long, requires_all = ["reset", "reason"])]
    force: bool,
    /// Why, for the journal
    #[arg(long, requires = "reset", value_parser = reason)]
    reason: Option<Label>,
    /// Does it without asking
    #[arg(long, short, requires = "reset")]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

fn reason(text: &str) -> Result<Label, String> {
    Label::parse(text).map_err(|error| error.to_string())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    /// Since when the authenticator app counts, if it does.
    totp_since: Option<String>,
    passkeys: Vec<ShownPasskey>,
    /// How many can still be used; nothing if none were made.
    recovery_codes_left: Option<usize>,
    /// From when on a reset counts, if one waits.
    reset_due_at: Option<String>,
    #[serde(skip)]
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownPasskey {
    id: String,
    name: String,
    created_at: String,
    used_at: Option<String>,
}

impl From<&Passkey> for ShownPasskey {
    fn from(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id.to_string(),
            name: passkey.name.as_str().to_owned(),
            created_at: precise(passkey.created_at),
            used_at: passkey.used_at.map(precise),
        }
    }
}

impl From<&AccountFactors> for Shown {
    fn from(factors: &AccountFactors) -> Self {
        let confirmed = factors.confirmed_totp();
        let since = confirmed.and_then(|totp| totp.confirmed_at);
        let left = |codes: &RecoveryCodes| codes.macs.len();
        Self {
            totp_since: since.map(precise),
            passkeys: factors.passkeys.iter().map(ShownPasskey::from).collect(),
            recovery_codes_left: factors.codes.as_ref().map(left),
            reset_due_at: factors.reset.map(|reset| precise(reset.due_at)),
            text: text(factors),
        }
    }
}

/// For people: a line for each.
fn text(factors: &AccountFactors) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    if let Some(since) = factors.confirmed_totp().and_then(|totp| totp.confirmed_at) {
        let _ = writeln!(text, "app        since {}", instant(since));
    }
    for passkey in &factors.passkeys {
        let used = passkey.used_at.map_or_else(
            || "never used".to_owned(),
            |at| format!("used {}", instant(at)),
        );
        let (name, since) = (passkey.name.as_str(), instant(passkey.created_at));
        let _ = writeln!(text, "passkey    since {since}, {used}: {name}");
    }
    if let Some(codes) = &factors.codes {
        let _ = writeln!(text, "codes      {} left", codes.macs.len());
    }
    if let Some(PendingReset { due_at, .. }) = factors.reset {
        let _ = writeln!(text, "reset      counts from {}", instant(due_at));
    }
    if text.is_empty() {
        text.push_str("no factors\n");
    }
    text
}

impl CommandOutput for Shown {
    fn text(&self) -> String {
        self.text.clone()
    }
}

pub(super) async fn run(config: &Config, args: Args) -> Result<()> {
    if args.reset {
        return reset(config, args).await;
    }
    let tools = operator_tools(config, Purpose::Read).await?;
    let user = args.user.find(&tools.manage).await?;
    let factors = tools.factors.of(user.id).await?;
    answer::print(&Shown::from(&factors), args.format)
}

async fn reset(config: &Config, args: Args) -> Result<()> {
    let telemetry = announced(config)?;
    let tools = operator_tools(config, Purpose::Change).await?;
    let user = args.user.find(&tools.manage).await?;
    let email = user.email.as_str();
    let when = if args.force {
        "now, and sign it out everywhere"
    } else {
        "unless its owner stops it"
    };
    let question = format!("Remove all factors of {email} ({}) {when}?", user.id);
    confirm(&question, args.yes)?;
    let said = match order(&tools, &user, args.force, args.reason).await {
        Ok(said) => said,
        Err(ResetFactorsError::NotFound) => return Err(args.user.not_found()),
        Err(error) => return Err(error.into()),
    };
    done(&tools, telemetry, &format!("{said}\n"))
}

async fn order(
    tools: &OperatorTools,
    user: &User,
    is_forced: bool,
    reason: Option<Label>,
) -> Result<String, ResetFactorsError> {
    let (factors, email): (&ManageFactors, _) = (&tools.factors, user.email.as_str());
    if let (true, Some(reason)) = (is_forced, &reason) {
        factors
            .force_reset(user.id, reason.clone(), Actor::Operator)
            .await?;
        return Ok(format!(
            "the factors of {email} are gone, and it is signed out everywhere"
        ));
    }
    let ordered = factors
        .order_reset(user.id, reason, Actor::Operator)
        .await?;
    let due = instant(ordered.due_at);
    Ok(if ordered.was_pending {
        format!(
            "a reset was ordered before: the factors of {email} go at {due}, unless the owner stops it"
        )
    } else {
        format!("the factors of {email} go at {due}, unless the owner stops it")
    })
}
