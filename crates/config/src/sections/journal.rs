//! `[journal]`: the list of what happened to accounts, sessions and keys.

use super::Rule;
use crate::Human;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// `[journal]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// How long entries are kept, at least 1 day; 90 days. A user's activity and `revolve events` reach as far back.
    #[serde(with = "Human")]
    pub retention: Duration,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            retention: Duration::from_hours(24 * 90),
        }
    }
}

impl Journal {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![(
            self.retention >= Duration::from_hours(24),
            "journal.retention: must be at least 1 day",
        )]
    }
}
