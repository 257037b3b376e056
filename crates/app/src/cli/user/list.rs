//! `revolve user list`, also `find`: accounts by address, read page by page, so that it prints millions as well as a few.

use super::{
    account::{AccountMembers, instant},
    patience::patiently,
};
use crate::{
    cli::answer,
    composition::{Purpose, operator_tools},
    config::Config,
};
use anyhow::Result;
use revolve_domain::{
    model::{EmailAddress, Role, User},
    ports::AccountQuery,
};
use std::ops::ControlFlow;

/// How many accounts are read at once.
const PAGE: u32 = 500;

/// Arguments of `revolve user list`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only addresses that begin so
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    prefix: String,
    /// Only accounts with this role
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    /// Only disabled accounts; with `=false` only others
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    disabled: Option<bool>,
    /// Only accounts whose owner has proved to read the address; with `=false` only others
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    verified: Option<bool>,
    /// Only addresses after this one, in the order of the list
    #[arg(long, value_name = "EMAIL", value_parser = EmailAddress::present)]
    after: Option<EmailAddress>,
    /// The most accounts to list; all by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// As a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, args: Args) -> Result<()> {
    let directory = operator_tools(config, Purpose::Read).await?.directory;
    let prefix = EmailAddress::key_prefix(&args.prefix);
    let mut query = AccountQuery {
        after: args.after,
        prefix,
        role: args.role,
        disabled: args.disabled,
        verified: args.verified,
        limit: PAGE,
    };
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut printed = 0_u64;
    let form: &dyn ListFormat = if args.json { &Array } else { &Table };
    loop {
        query.limit = u32::try_from(left).unwrap_or(u32::MAX).min(PAGE);
        let page = patiently(async || directory.list(&query).await).await?;
        let mut text = String::new();
        for user in &page {
            text.push_str(&form.row(user, printed == 0)?);
            printed += 1;
        }
        if answer::part(&text)? == ControlFlow::Break(()) {
            return Ok(());
        }
        left -= page.len() as u64;
        let full = page.len() as u64 == u64::from(query.limit);
        match page.last() {
            Some(last) if full && left > 0 => query.after = Some(last.email.clone()),
            _ => return answer::text(form.end(printed == 0)),
        }
    }
}

/// How a list is written, row by row.
trait ListFormat {
    fn row(&self, user: &User, first: bool) -> Result<String>;

    fn end(&self, empty: bool) -> &'static str;
}

struct Table;

impl ListFormat for Table {
    fn row(&self, user: &User, first: bool) -> Result<String> {
        let header = if first {
            format!("{:36}  {:20}  {:8}  EMAIL\n", "ID", "CREATED", "STATE")
        } else {
            String::new()
        };
        let state = if user.disabled_at.is_some() {
            "disabled"
        } else {
            ""
        };
        Ok(format!(
            "{header}{}  {:20}  {state:8}  {}\n",
            user.id,
            instant(user.created_at),
            user.email.as_str()
        ))
    }

    fn end(&self, empty: bool) -> &'static str {
        if empty {
            "there are no such accounts\n"
        } else {
            ""
        }
    }
}

struct Array;

impl ListFormat for Array {
    fn row(&self, user: &User, first: bool) -> Result<String> {
        let before = if first { "[\n" } else { ",\n" };
        Ok(format!(
            "{before}  {}",
            serde_json::to_string(&AccountMembers::from(user))?
        ))
    }

    fn end(&self, empty: bool) -> &'static str {
        if empty { "[]\n" } else { "\n]\n" }
    }
}
