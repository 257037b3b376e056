//! The list of keys as an operator reads it, or a program.

use anyhow::Result;
use revolve_adapters::jose::Algorithm;
use revolve_domain::{
    keys::{KeyState, KeyUse, StoredKey},
    model::Timestamp,
};
use serde::Serialize;
use std::fmt::Write;
use time::format_description::well_known::Rfc3339;

/// Keys, wherever they are.
pub(super) struct KeyTable(Vec<KeyEntry>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyEntry {
    kid: String,
    r#use: &'static str,
    algorithm: &'static str,
    state: &'static str,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signs_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone_at: Option<String>,
}

impl KeyTable {
    /// `file_signs`: a file signs ID tokens, so that the active key of the user database does not.
    pub(super) fn new(
        stored: &[StoredKey],
        files: &[(String, Algorithm, bool)],
        file_signs: bool,
    ) -> Self {
        let from_file = files.iter().map(|(kid, algorithm, signs)| KeyEntry {
            kid: kid.clone(),
            r#use: KeyUse::Id.name(),
            algorithm: algorithm.name(),
            state: if *signs {
                KeyState::Active
            } else {
                KeyState::Retired
            }
            .name(),
            source: "file",
            since: None,
            signs_from: None,
            gone_at: None,
        });
        let from_store = stored.iter().map(|key| {
            let (state, until) = (key.phase.state(), key.phase.until().map(instant));
            let idle = file_signs && key.kind.usage() == KeyUse::Id && state == KeyState::Active;
            KeyEntry {
                kid: key.id.to_string(),
                r#use: key.kind.usage().name(),
                algorithm: key.kind.algorithm_name(),
                state: if idle { "idle" } else { state.name() },
                source: "database",
                since: Some(instant(key.phase.since())),
                signs_from: until.clone().filter(|_| state == KeyState::Next),
                gone_at: until.filter(|_| state == KeyState::Retired),
            }
        });
        Self(from_file.chain(from_store).collect())
    }

    pub(super) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.0)? + "\n")
    }

    pub(super) fn to_table(&self) -> String {
        if self.0.is_empty() {
            return "there are no keys yet: the service makes them when it starts\n".to_owned();
        }
        let width = self
            .0
            .iter()
            .map(|row| row.kid.len())
            .max()
            .unwrap_or_default()
            .max(3);
        let mut table = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "{:width$}  USE      ALG    STATE    SINCE                 THEN",
            "KID"
        );
        for row in &self.0 {
            let then = match (&row.signs_from, &row.gone_at) {
                (Some(at), _) => format!("signs from {at}"),
                (_, Some(at)) => format!("is gone at {at}"),
                _ => String::new(),
            };
            let since = row.since.as_deref().unwrap_or("(from a file)");
            let line = format!(
                "{:width$}  {:7}  {:5}  {:7}  {since:20}  {then}",
                row.kid, row.r#use, row.algorithm, row.state
            );
            let _ = writeln!(table, "{}", line.trim_end());
        }
        table
    }
}

/// RFC 3339, in whole seconds.
pub(super) fn instant(at: Timestamp) -> String {
    at.whole_second()
        .to_datetime()
        .format(&Rfc3339)
        .unwrap_or_default()
}
