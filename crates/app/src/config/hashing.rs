//! `[hashing]`: what a password hash costs and how many are computed at once.

use super::{Human, Rule};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// `[hashing]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hashing {
    /// Memory per hash in KiB; 19456.
    pub memory_kib: u32,
    /// Passes over it; 2.
    pub passes: u32,
    /// Lanes; 1.
    pub lanes: u32,
    /// Hashes computed at once; as many as cores.
    pub threads: Option<usize>,
    /// Longest wait for a free thread; 5 s.
    #[serde(with = "Human")]
    pub patience: Duration,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1, threads: None, patience: Duration::from_secs(5) }
    }
}

impl Hashing {
    /// What types alone can't say.
    pub(super) fn rules(&self) -> Vec<Rule> {
        vec![(self.threads != Some(0), "hashing.threads: must be at least 1")]
    }
}
