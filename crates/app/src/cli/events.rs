//! `revolve events`: what happened to accounts, sessions and keys, from the journal.

use super::{
    answer,
    user::{id_of, instant, precise},
};
use crate::{
    composition::{JournalTools, Purpose, journal_tools},
    config::Config,
};
use anyhow::{Result, anyhow};
use revolve_domain::{
    journal::SecurityEvent,
    model::{EventId, Label, Timestamp, UserId},
    ports::{JournalQuery, JournalRecord},
    use_cases::AccountName,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    ops::ControlFlow,
    time::Duration,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::sleep;

/// How long a follower waits once it has read everything.
const PAUSE: Duration = Duration::from_secs(1);
/// How many entries a follower reads at once.
const BATCH: u32 = 500;

/// Arguments of `revolve events`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Only those about this account: its e-mail address or its id, also the id of one that is deleted
    #[arg(long, value_name = "USER")]
    user: Option<AccountName>,
    /// Only those of this name, such as session.reused
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only those from this instant on, such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "INSTANT", value_parser = timestamp)]
    from: Option<Timestamp>,
    /// Only those before this instant
    #[arg(long, value_name = "INSTANT", value_parser = timestamp, conflicts_with = "follow")]
    to: Option<Timestamp>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    limit: u32,
    /// Goes on with those that are written from now on, until it is stopped
    #[arg(long)]
    follow: bool,
    /// Answers as JSON, for programs: one object per line
    #[arg(long)]
    json: bool,
}

/// An entry, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryMembers<'a> {
    id: String,
    at: String,
    event: &'a str,
    actor: &'static str,
    /// Which key, if the actor is one.
    api_key: Option<String>,
    user: Option<String>,
    session: Option<String>,
    address: Option<String>,
    session_address: Option<String>,
    device: Option<&'a str>,
    details: &'a BTreeMap<String, String>,
    count: u64,
}

/// The newest entries, the oldest of them first, and then those to come.
pub(super) async fn run(config: &Config, args: &Args) -> Result<()> {
    // The journal may have those of another release.
    let is_known = |name: &String| SecurityEvent::journaled_names().any(|event| event == name);
    if let Some(name) = args.name.as_ref().filter(|name| !is_known(name)) {
        eprintln!("no event of this release is `{name}`");
    }
    let tools = journal_tools(config, Purpose::Read).await?;
    let user = match &args.user {
        Some(name) => Some(find(&tools, name).await?),
        None => None,
    };
    let mut query = JournalQuery {
        user,
        event: args.name.clone(),
        from: args.from,
        to: args.to,
        after: None,
        limit: 0,
    };
    // Before the page, so that none is missed between the two.
    let mut cursor = tools.journal.follow(None, &query).await?.cursor;
    query.limit = args.limit;
    let page = tools.journal.page(query.clone()).await?.entries;
    let shown: BTreeSet<EventId> = page.iter().map(|entry| entry.id).collect();
    let mut going = print(page.iter().rev(), args.json)?;
    query.limit = BATCH;
    while args.follow && going.is_continue() {
        let followed = tools.journal.follow(Some(cursor), &query).await?;
        let is_all = followed.cursor == cursor;
        cursor = followed.cursor;
        let new = followed.entries.iter();
        going = print(new.filter(|entry| !shown.contains(&entry.id)), args.json)?;
        if is_all {
            sleep(PAUSE).await;
        }
    }
    Ok(())
}

fn timestamp(text: &str) -> Result<Timestamp, &'static str> {
    let at = OffsetDateTime::parse(text, &Rfc3339);
    at.map(Timestamp::from)
        .map_err(|_| "is not an instant such as 2026-01-02T03:04:05Z")
}

async fn find(tools: &JournalTools, name: &AccountName) -> Result<UserId> {
    let found = id_of(&*tools.users, name).await?;
    found.ok_or_else(|| anyhow!("there is no account {name}; of one that is deleted name the id"))
}

fn print<'a>(
    entries: impl Iterator<Item = &'a JournalRecord>,
    json: bool,
) -> Result<ControlFlow<()>> {
    let mut text = String::new();
    for entry in entries {
        if json {
            text.push_str(&serde_json::to_string(&members(entry))?);
        } else {
            text.push_str(&line(entry));
        }
        text.push('\n');
    }
    if text.is_empty() {
        return Ok(ControlFlow::Continue(()));
    }
    answer::part(&text)
}

fn members(entry: &JournalRecord) -> EntryMembers<'_> {
    EntryMembers {
        id: entry.id.to_string(),
        at: precise(entry.at),
        event: &entry.event,
        actor: entry.actor.name(),
        api_key: entry.actor.key().map(|key| key.to_string()),
        user: entry.user.map(|user| user.to_string()),
        session: entry.session.map(|session| session.to_string()),
        address: entry.address.map(|address| address.to_string()),
        session_address: entry.session_address.map(|address| address.to_string()),
        device: entry.device.as_ref().map(Label::as_str),
        details: &entry.details,
        count: entry.count,
    }
}

/// For people: what is always there in columns, the rest by name.
fn line(entry: &JournalRecord) -> String {
    let mut line = format!(
        "{}  {:23}  {:8}",
        instant(entry.at),
        entry.event,
        entry.actor.name()
    );
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = write!(line, "  {name}={value}");
        }
    };
    add("by", entry.actor.key().map(|key| key.to_string()));
    add("user", entry.user.map(|user| user.to_string()));
    add("session", entry.session.map(|session| session.to_string()));
    add("address", entry.address.map(|address| address.to_string()));
    add(
        "session_address",
        entry.session_address.map(|address| address.to_string()),
    );
    for (name, value) in &entry.details {
        add(name, Some(value.clone()));
    }
    add(
        "device",
        entry
            .device
            .as_ref()
            .map(|device| format!("{:?}", device.as_str())),
    );
    add("count", (entry.count > 1).then(|| entry.count.to_string()));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::{journal::Actor, model::SessionId};

    #[test]
    fn a_line_says_what_is_known() {
        let mut entry = JournalRecord {
            id: EventId::from_random([1; 16]),
            at: Timestamp::from_seconds(1_900_000_000),
            actor: Actor::Stranger,
            event: "sign_in.refused".to_owned(),
            user: None,
            session: None,
            address: None,
            session_address: None,
            device: None,
            details: BTreeMap::new(),
            count: 1,
        };
        assert_eq!(
            line(&entry),
            "2030-03-17T17:46:40Z  sign_in.refused          stranger"
        );
        entry.session = Some(SessionId::from_random([2; 16]));
        entry.address = Some([192, 0, 2, 1].into());
        entry.device = Some(Label::parse("Ann's \"phone\"").unwrap());
        entry.details = [("reason".to_owned(), "evicted".to_owned())].into();
        entry.count = 3;
        assert_eq!(
            line(&entry),
            "2030-03-17T17:46:40Z  sign_in.refused          stranger  session=02020202-0202-4202-8202-020202020202  \
             address=192.0.2.1  reason=evicted  device=\"Ann's \\\"phone\\\"\"  count=3"
        );
    }
}
