//! `[hashing]`: what a password hash costs and how much hashing may take.

use super::Rule;
use crate::Human;
use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// `[hashing]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hashing {
    /// Memory per hash in KiB, at least 8 per lane; 19456. `revolve hash calibrate` proposes what suits the machine.
    pub memory_kib: u32,
    /// Passes over it, at least 1; 2.
    pub passes: u32,
    /// Lanes, at least 1; 1. They are computed one after the other: more of them make no hash faster.
    pub lanes: u32,
    /// Hashes computed at once at most; one less than cores, at least one, so that refreshes stay quick while passwords are hashed. The
    /// memory budget may allow fewer.
    pub threads: Option<usize>,
    /// All memory that hashing may hold, in use or kept for the next hash, as a size (`"256MiB"`) or in bytes; a quarter of what the
    /// control group or the machine has, at least 33 MiB, and at least one hash. A stored hash that asks for more is refused as broken.
    #[schemars(with = "Option<String>")]
    pub memory_budget: Option<ByteSize>,
    /// Longest wait for a free thread, more than zero; 5 s. A request that would wait longer gets 503 with `Retry-After` at once. A hash from
    /// elsewhere may take a quarter of it, or its import is refused.
    #[serde(with = "Human")]
    pub patience: Duration,
    /// How much lower than the rest of the service's the priority of hashing threads is, 0 to 19; 10. On Linux.
    pub nice: u8,
}

impl Default for Hashing {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
            threads: None,
            memory_budget: None,
            patience: Duration::from_secs(5),
            nice: 10,
        }
    }
}

impl Hashing {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let one_hash = u64::from(self.memory_kib) << 10;
        let room = self
            .memory_budget
            .is_none_or(|budget| budget.as_u64() >= one_hash);
        vec![
            (
                self.threads != Some(0),
                "hashing.threads: must be at least 1",
            ),
            (self.passes >= 1, "hashing.passes: must be at least 1"),
            (
                (1..=0x00ff_ffff).contains(&self.lanes),
                "hashing.lanes: must be at least 1 and less than 2^24",
            ),
            (
                self.memory_kib / 8 >= self.lanes.max(1),
                "hashing.memory_kib: must be at least 8 for each lane",
            ),
            (
                room,
                "hashing.memory_budget: must be at least what one hash takes (hashing.memory_kib)",
            ),
            (
                !self.patience.is_zero(),
                "hashing.patience: must be more than zero",
            ),
            (self.nice <= 19, "hashing.nice: must be at most 19"),
        ]
    }
}
