//! How much memory and time a hash takes.

use argon2::{Block, Params};
use std::time::Duration;

/// No hash may take longer, as far as its parameters tell.
const LONGEST: Duration = Duration::from_secs(10);

/// Why a stored hash can't be checked. It says nothing of the hash but its kind and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// Not a form that is known here.
    #[error("the stored hash is in no form that is known here (argon2, bcrypt or scrypt)")]
    UnknownForm,
    /// A form that is known, but not as it should be.
    #[error("the stored hash is not a correct {0} hash")]
    Malformed(&'static str),
    /// More memory than all hashing may take.
    #[error(
        "the stored hash asks for {need} bytes of memory, more than the whole budget for hashing ({budget} bytes)"
    )]
    TooLarge {
        /// What it asks for.
        need: u64,
        /// What there is.
        budget: u64,
    },
    /// More time than any hash may take.
    #[error(
        "the stored hash asks for about {0:?} of computing, more than any hash may take (10 s)"
    )]
    TooSlow(Duration),
}

/// What one hash takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    pub(crate) space: Space,
    pub(crate) effort: Effort,
}

/// The memory for a hash.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Space {
    /// So many blocks of argon2, which come from the pool.
    Blocks(usize),
    /// So many bytes that the algorithm allocates itself.
    Own(u64),
}

impl Demand {
    pub(crate) fn of(params: &Params) -> Self {
        let units = u64::from(params.m_cost()) * u64::from(params.t_cost());
        Self {
            space: Space::Blocks(params.block_count()),
            effort: Effort::new(Kind::Argon2, units),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self.space {
            Space::Blocks(blocks) => blocks as u64 * Block::SIZE as u64,
            Space::Own(bytes) => bytes,
        }
    }

    /// Whether it may be computed at all.
    pub(crate) fn within(&self, budget: u64) -> Result<(), UnusableHash> {
        let (need, time) = (self.bytes(), self.effort.nominal());
        if need > budget {
            return Err(UnusableHash::TooLarge { need, budget });
        }
        if time > LONGEST {
            Err(UnusableHash::TooSlow(time))
        } else {
            Ok(())
        }
    }
}

/// What the time depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Argon2,
    Bcrypt,
    Scrypt,
}

/// What a hash asks for, in the time that it takes by rule of thumb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) kind: Kind,
    pub(crate) nominal: Duration,
}

impl Effort {
    /// So many units: KiB times passes, rounds, or N·r·p.
    pub(crate) fn new(kind: Kind, units: u64) -> Self {
        let nanoseconds = match kind {
            Kind::Argon2 => 500,
            Kind::Bcrypt => 60_000,
            Kind::Scrypt => 350,
        };
        Self {
            kind,
            nominal: Duration::from_nanos(units.max(1).saturating_mul(nanoseconds)),
        }
    }

    pub(crate) fn nominal(&self) -> Duration {
        self.nominal
    }
}
