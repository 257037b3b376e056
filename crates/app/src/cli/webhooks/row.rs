//! Webhooks as an operator reads them, or a program.

use crate::cli::{answer::CommandOutput, user::instant};
use revolve_domain::{
    deliveries::Backlog,
    use_cases::CreatedWebhook,
    webhooks::{DisabledReason, Webhook},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookMembers {
    id: String,
    name: String,
    url: String,
    /// Empty: everything.
    events: Vec<String>,
    enabled: bool,
    disabled_reason: Option<&'static str>,
    created_at: String,
    /// While a former secret signs, too.
    previous_secret_until: Option<String>,
    failing_since: Option<String>,
    last_error: Option<String>,
}

impl From<&Webhook> for WebhookMembers {
    fn from(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            name: webhook.name.as_str().to_owned(),
            url: webhook.url.to_string(),
            events: webhook.events.names().to_vec(),
            enabled: webhook.disabled.is_none(),
            disabled_reason: webhook.disabled.map(DisabledReason::as_str),
            created_at: instant(webhook.created_at),
            previous_secret_until: webhook.previous.as_ref().map(|old| instant(old.until)),
            failing_since: webhook.failing_since.map(instant),
            last_error: webhook.last_error.clone(),
        }
    }
}

impl CommandOutput for WebhookMembers {
    fn text(&self) -> String {
        let state = self.disabled_reason.unwrap_or("enabled");
        let mut text = String::new();
        for (name, value) in [
            ("id", Some(self.id.as_str())),
            ("name", Some(self.name.as_str())),
            ("url", Some(self.url.as_str())),
            ("events", Some(events(&self.events).as_str())),
            ("state", Some(state)),
            ("created at", Some(self.created_at.as_str())),
            ("old secret until", self.previous_secret_until.as_deref()),
            ("failing since", self.failing_since.as_deref()),
            ("last error", self.last_error.as_deref()),
        ] {
            if let Some(value) = value {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{name:16} {value}");
            }
        }
        text
    }
}

fn events(names: &[String]) -> String {
    if names.is_empty() {
        "all".to_owned()
    } else {
        names.join(",")
    }
}

/// With what is on its way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WithBacklog {
    #[serde(flatten)]
    webhook: WebhookMembers,
    waiting: u64,
    /// When the oldest of them was ordered.
    waiting_since: Option<String>,
    given_up: u64,
}

impl WithBacklog {
    pub(super) fn new(webhook: &Webhook, backlog: Backlog) -> Self {
        Self {
            webhook: webhook.into(),
            waiting: backlog.waiting,
            waiting_since: backlog.oldest_due.map(instant),
            given_up: backlog.given_up,
        }
    }
}

impl CommandOutput for WithBacklog {
    fn text(&self) -> String {
        let since = self.waiting_since.as_deref();
        let since = since
            .map(|since| format!(" since {since}"))
            .unwrap_or_default();
        format!(
            "{}{:16} {}{since}\n{:16} {}\n",
            self.webhook.text(),
            "waiting",
            self.waiting,
            "given up",
            self.given_up
        )
    }
}

/// With the secret that was just made.
#[derive(Serialize)]
pub(super) struct WithSecret {
    #[serde(flatten)]
    webhook: WebhookMembers,
    secret: String,
}

impl From<CreatedWebhook> for WithSecret {
    fn from(created: CreatedWebhook) -> Self {
        Self {
            webhook: WebhookMembers::from(&created.webhook),
            secret: created.secret.expose_secret().to_owned(),
        }
    }
}

impl CommandOutput for WithSecret {
    fn text(&self) -> String {
        format!(
            "{}{:16} {}\nThe secret is not shown again.\n",
            self.webhook.text(),
            "secret",
            self.secret
        )
    }
}

#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct WebhookTable(pub(super) Vec<WebhookMembers>);

impl CommandOutput for WebhookTable {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "there are no webhooks\n".to_owned();
        }
        let mut text = format!(
            "{:36}  {:8}  {:20}  NAME, URL, EVENTS\n",
            "ID", "STATE", "FAILING SINCE"
        );
        for row in &self.0 {
            let state = row.disabled_reason.unwrap_or("enabled");
            let failing = row.failing_since.as_deref().unwrap_or("-");
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{}  {state:8}  {failing:20}  {}: {} {}",
                row.id,
                row.name,
                row.url,
                events(&row.events)
            );
        }
        text
    }
}
