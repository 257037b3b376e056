//! How much memory and time a hash takes.

use argon2::{Block, Params};
use std::time::Duration;

/// A hash whose parameters imply more time is refused.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Why a stored hash can't be checked. Reveals nothing of it but its algorithm and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// An unknown form.
    #[error("the stored hash is in no form that is known here (argon2, bcrypt or scrypt)")]
    UnknownForm,
    /// A form that does not say what it is.
    #[error(
        "the stored hash does not say what made it, and more than one form looks like it; if you know which it is, name it with --format"
    )]
    Unmarked,
    /// A known form with a mistake in it. The name of the algorithm.
    #[error("the stored hash is not a correct {0} hash")]
    Malformed(&'static str),
    /// It needs more memory than all hashing may use.
    #[error(
        "the stored hash asks for {need} bytes of memory, more than the whole budget for hashing ({budget} bytes)"
    )]
    TooLarge {
        /// In bytes.
        need: u64,
        /// In bytes.
        budget: u64,
    },
    /// It needs more time than any hash may use.
    #[error(
        "the stored hash asks for about {0:?} of computing, more than any hash may take (10 s)"
    )]
    TooSlow(Duration),
}

/// What one hash needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashDemand {
    pub(crate) memory: MemoryDemand,
    pub(crate) effort: Effort,
}

/// The memory that one hash needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MemoryDemand {
    /// Blocks of argon2, which the pool provides.
    Blocks(usize),
    /// Bytes that the algorithm allocates itself.
    Bytes(u64),
}

impl HashDemand {
    pub(crate) fn of(params: &Params) -> Self {
        let units = u64::from(params.m_cost()) * u64::from(params.t_cost());
        Self {
            memory: MemoryDemand::Blocks(params.block_count()),
            effort: Effort::new(HashAlgorithm::Argon2, units),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self.memory {
            MemoryDemand::Blocks(blocks) => blocks as u64 * Block::SIZE as u64,
            MemoryDemand::Bytes(bytes) => bytes,
        }
    }

    /// Refuses what needs more than this many bytes, or more time than any hash may use.
    pub(crate) fn within(&self, budget: u64) -> Result<(), UnusableHash> {
        let (need, time) = (self.bytes(), self.effort.nominal);
        if need > budget {
            return Err(UnusableHash::TooLarge { need, budget });
        }
        if time > MAX_TIME {
            Err(UnusableHash::TooSlow(time))
        } else {
            Ok(())
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashAlgorithm {
    Argon2,
    Bcrypt,
    Scrypt,
}

/// The time that a hash needs, by rule of thumb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) algorithm: HashAlgorithm,
    pub(crate) nominal: Duration,
}

impl Effort {
    /// `units` are KiB times passes for argon2, rounds for bcrypt, N·r·p for scrypt.
    pub(crate) fn new(algorithm: HashAlgorithm, units: u64) -> Self {
        let nanoseconds = match algorithm {
            HashAlgorithm::Argon2 => 500,
            HashAlgorithm::Bcrypt => 60_000,
            HashAlgorithm::Scrypt => 350,
        };
        Self {
            algorithm,
            nominal: Duration::from_nanos(units.max(1).saturating_mul(nanoseconds)),
        }
    }
}
