//! `[hashing]`: what a password hash costs and how much hashing may take.

use super::{Human, Rule};
use bytesize::ByteSize;
use revolve_adapters::argon2::{HashCost, PoolConfig, memory_limit};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{num::NonZeroUsize, time::Duration};

/// The default budget is this part of the memory that there is …
const PART: u64 = 4;
/// … but enough for the largest hash of the usual parameters from elsewhere (scrypt with N = 32768 and r = 8) …
const LEAST: u64 = 33 << 20;
/// … or this, where the system does not say how much that is.
const UNKNOWN: u64 = 256 << 20;

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
    /// Longest wait for a free thread, more than zero; 5 s. Who would wait longer gets 503 with `Retry-After` at once.
    #[serde(with = "Human")]
    pub patience: Duration,
    /// How much lower than the rest of the service's the priority of hashing threads is, 0 to 19; 10. On Linux.
    pub nice: u8,
}

impl Default for Hashing {
    fn default() -> Self {
        let (cost, pool) = (HashCost::default(), PoolConfig::default());
        Self {
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
            threads: None,
            memory_budget: None,
            patience: pool.patience,
            nice: pool.nice,
        }
    }
}

impl Hashing {
    /// The cost of a new hash.
    pub fn cost(&self) -> HashCost {
        HashCost {
            memory_kib: self.memory_kib,
            passes: self.passes,
            lanes: self.lanes,
        }
    }

    /// The memory budget in bytes.
    pub fn budget(&self) -> u64 {
        let part = || {
            memory_limit()
                .map_or(UNKNOWN, |bytes| (bytes / PART).max(LEAST))
                .max(self.cost().bytes())
        };
        self.memory_budget.map_or_else(part, |size| size.as_u64())
    }

    /// How much hashing may go on.
    pub fn pool(&self) -> PoolConfig {
        let threads = self.threads.and_then(NonZeroUsize::new);
        PoolConfig {
            threads,
            budget: self.budget(),
            patience: self.patience,
            nice: self.nice,
        }
    }

    /// What types alone can't say.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let room = self
            .memory_budget
            .is_none_or(|budget| budget.as_u64() >= self.cost().bytes());
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
