//! `revolve user disable | enable | delete | sign-out`. The end of a session is a commit in the user database, as for users themselves:
//! running services read it there.

use super::{account::Named, confirm::confirm};
use crate::{
    cli::answer,
    composition::{OperatorTools, Purpose, operator_tools},
    config::{Config, Traces},
    start_telemetry,
};
use anyhow::{Result, anyhow};
use revolve_domain::{
    journal::Actor,
    model::SessionId,
    ports::{DisableOutcome, EnableOutcome, EndOutcome},
};
use revolve_observe::telemetry::Telemetry;

/// Arguments of a change that can be taken back.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Which {
    #[command(flatten)]
    user: Named,
}

/// Arguments of a change that needs confirmation.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Sure {
    #[command(flatten)]
    user: Named,
    /// Does it without asking
    #[arg(long, short)]
    yes: bool,
}

/// Arguments of `revolve user sign-out`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct SignOutArgs {
    #[command(flatten)]
    user: Named,
    /// Only this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
}

pub(super) async fn disable(config: &Config, args: &Sure) -> Result<()> {
    let (telemetry, tools) = (
        announced(config)?,
        operator_tools(config, Purpose::Change).await?,
    );
    let user = args.user.find(&tools.manage).await?;
    confirm(
        &format!(
            "Disable {} ({}) and sign it out everywhere?",
            user.email.as_str(),
            user.id
        ),
        args.yes,
    )?;
    let said = match tools.manage.disable(user.id, Actor::Operator).await? {
        DisableOutcome::Disabled(_) => "is disabled and signed out everywhere",
        DisableOutcome::AlreadyDisabled(_) => {
            "was disabled already; what lived of its sessions is over"
        }
        DisableOutcome::NotFound => return Err(args.user.not_found()),
    };
    done(
        &tools,
        telemetry,
        &format!("{} {said}\n", user.email.as_str()),
    )
}

pub(super) async fn enable(config: &Config, args: &Which) -> Result<()> {
    let (telemetry, tools) = (
        announced(config)?,
        operator_tools(config, Purpose::Change).await?,
    );
    let user = args.user.find(&tools.manage).await?;
    let said = match tools.manage.enable(user.id, Actor::Operator).await? {
        EnableOutcome::Enabled => "can be signed in to again",
        EnableOutcome::NotDisabled => "was not disabled; nothing was to be done",
        EnableOutcome::NotFound => return Err(args.user.not_found()),
    };
    done(
        &tools,
        telemetry,
        &format!("{} {said}\n", user.email.as_str()),
    )
}

pub(super) async fn delete(config: &Config, args: &Sure) -> Result<()> {
    let (telemetry, tools) = (
        announced(config)?,
        operator_tools(config, Purpose::Change).await?,
    );
    let user = args.user.find(&tools.manage).await?;
    confirm(
        &format!("Delete {} ({}) for good?", user.email.as_str(), user.id),
        args.yes,
    )?;
    if !tools.manage.delete(user.id, Actor::Operator).await? {
        return Err(args.user.not_found());
    }
    done(
        &tools,
        telemetry,
        &format!("{} is deleted\n", user.email.as_str()),
    )
}

pub(super) async fn sign_out(config: &Config, args: &SignOutArgs) -> Result<()> {
    let (telemetry, tools) = (
        announced(config)?,
        operator_tools(config, Purpose::Change).await?,
    );
    let user = args.user.find(&tools.manage).await?;
    let email = user.email.as_str();
    let said = match args.session {
        None if tools.manage.sign_out(user.id, Actor::Operator).await? => {
            format!("{email} is signed out everywhere\n")
        }
        None => return Err(args.user.not_found()),
        Some(session) => match tools
            .manage
            .end_session(user.id, session, Actor::Operator)
            .await?
        {
            EndOutcome::Ended => format!("session {session} of {email} is over\n"),
            EndOutcome::AlreadyEnded => format!("session {session} of {email} was over already\n"),
            EndOutcome::NotFound => return Err(anyhow!("{email} has no session {session}")),
        },
    };
    done(&tools, telemetry, &said)
}

/// Security events go to standard error, as the service writes them, and nothing else does.
pub(in crate::cli) fn announced(config: &Config) -> Result<Telemetry> {
    let mut config = config.clone();
    "off,revolve::security=info".clone_into(&mut config.log.level);
    config.traces = Traces::default();
    Ok(start_telemetry(&config)?)
}

pub(super) fn done(tools: &OperatorTools, telemetry: Telemetry, said: &str) -> Result<()> {
    telemetry.stop();
    if tools.unfinished.any() {
        eprintln!(
            "the white list could not be told: what it still has of these sessions is worth nothing and expires by itself"
        );
    }
    answer::text(said)
}
