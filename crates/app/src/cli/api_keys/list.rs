//! `revolve api-keys list`

use super::super::{
    Format,
    answer::{self, CommandOutput},
    user::instant,
};
use crate::{
    composition::{Purpose, manage_api_keys},
    config::Config,
};
use anyhow::Result;
use revolve_domain::model::{ApiKey, ApiKeyStanding};
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
#[serde(transparent)]
struct KeyTable(Vec<KeyEntry>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyEntry {
    id: String,
    name: String,
    state: &'static str,
    scopes: Vec<&'static str>,
    created_at: String,
    expires_at: String,
    revoked_at: Option<String>,
    /// To the hour.
    used_at: Option<String>,
}

impl KeyEntry {
    fn new((key, standing): (ApiKey, ApiKeyStanding)) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.as_str().to_owned(),
            state: standing.as_str(),
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            created_at: instant(key.created_at),
            expires_at: instant(key.expires_at),
            revoked_at: key.revoked_at.map(instant),
            used_at: key.used_at.map(instant),
        }
    }
}

impl CommandOutput for KeyTable {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "there are no API keys\n".to_owned();
        }
        let mut text = format!(
            "{:36}  {:7}  {:20}  {:20}  NAME, SCOPES\n",
            "ID", "STATE", "EXPIRES", "LAST USE"
        );
        for row in &self.0 {
            let used = row.used_at.as_deref().unwrap_or("never");
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{}  {:7}  {:20}  {used:20}  {}: {}",
                row.id,
                row.state,
                row.expires_at,
                row.name,
                row.scopes.join(",")
            );
        }
        text
    }
}

pub(super) async fn run(config: &Config, format: Format) -> Result<()> {
    let manage = manage_api_keys(config, Purpose::Read).await?;
    let keys = manage.list().await?.into_iter().map(KeyEntry::new);
    answer::print(&KeyTable(keys.collect()), format)
}
