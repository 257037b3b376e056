//! `revolve sessions list`: device, beginning, last use and end of each session. The user database knows the ends, the white list the
//! last use.

use crate::{
    cli::{
        Format,
        answer::{self, CommandOutput},
        user::{Named, instant},
    },
    composition::{OperatorTools, Purpose, operator_tools},
    config::Config,
};
use anyhow::Result;
use revolve_domain::{
    model::{Label, UserId},
    use_cases::{AccountName, HistoricSession, SessionState},
};
use revolve_observe::telemetry::chain;
use serde::Serialize;
use std::fmt::Write;

/// Arguments of `revolve sessions list`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    user: Named,
    /// Only those that live
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
#[serde(transparent)]
struct SessionTable(Vec<SessionEntry>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionEntry {
    id: String,
    state: &'static str,
    device_name: Option<String>,
    device: String,
    address: Option<String>,
    user_agent: Option<String>,
    began_at: String,
    ends_at: String,
    bound_at: Option<String>,
    /// When it was last refreshed, or begun; known of those in the white list.
    refreshed_at: Option<String>,
    /// When it ends unless it is refreshed.
    expires_at: Option<String>,
    ended_at: Option<String>,
    end_reason: Option<&'static str>,
}

impl SessionEntry {
    fn new(session: HistoricSession) -> Self {
        let HistoricSession {
            session,
            state,
            live,
            ..
        } = session;
        Self {
            id: session.id.to_string(),
            state: state.as_str(),
            device_name: session
                .device_name
                .as_ref()
                .map(Label::as_str)
                .map(str::to_owned),
            device: session.device.to_string(),
            address: session.client.address.map(|address| address.to_string()),
            user_agent: session
                .client
                .user_agent
                .as_ref()
                .map(Label::as_str)
                .map(str::to_owned),
            began_at: instant(session.began_at),
            ends_at: instant(session.ends_at),
            bound_at: session.bound_at.map(instant),
            refreshed_at: live.map(|live| instant(live.refreshed_at)),
            expires_at: live.map(|live| instant(live.token.expires_at)),
            ended_at: session.ending.map(|ending| instant(ending.at)),
            end_reason: session.ending.map(|ending| ending.reason.name()),
        }
    }
}

impl CommandOutput for SessionTable {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "there are no such sessions\n".to_owned();
        }
        let mut text = format!(
            "{:36}  {:8}  {:20}  {:20}  {:38}  DEVICE\n",
            "ID", "STATE", "BEGAN", "LAST USE", "ENDED"
        );
        for row in &self.0 {
            let ended = match (&row.ended_at, row.end_reason) {
                (Some(at), Some(reason)) => format!("{at} {reason}"),
                _ => String::new(),
            };
            let refreshed = row.refreshed_at.as_deref().unwrap_or_default();
            let device = row
                .device_name
                .as_deref()
                .or(row.user_agent.as_deref())
                .unwrap_or_default();
            let line = format!(
                "{}  {:8}  {}  {refreshed:20}  {ended:38}  {device}",
                row.id, row.state, row.began_at
            );
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }
}

pub(super) async fn run(config: &Config, args: &Args) -> Result<()> {
    let tools = operator_tools(config, Purpose::Read).await?;
    let user = whose(&tools, &args.user).await?;
    let history = tools.manage.history(user).await?;
    if let Err(error) = &history.white_list {
        eprintln!("the last use of sessions is not known: {}", chain(error));
    }
    let sessions = history.sessions.into_iter();
    let wanted = sessions.filter(|session| !args.live || session.state == SessionState::Live);
    let rows = wanted.map(SessionEntry::new).collect();
    answer::print(&SessionTable(rows), args.format)
}

/// By id also an account that is gone, as long as rows of its sessions are kept.
async fn whose(tools: &OperatorTools, named: &Named) -> Result<UserId> {
    let found = named.find(&tools.manage).await;
    match (found, &named.name) {
        (Ok(user), _) => Ok(user.id),
        (Err(_), AccountName::Id(id)) if !tools.directory.history(*id).await?.is_empty() => Ok(*id),
        (Err(error), _) => Err(error),
    }
}
