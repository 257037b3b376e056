//! How much memory and time a hash takes, and how much it may take.

use super::pbkdf2::Pbkdf2Digest;
use crate::argon2::measure;
use argon2::{Block, Params};
use std::{fmt, time::Duration};

/// Of `hashing.patience`, what a hash may take that is imported: one hash must not use up what others are ready to wait.
const PART_AT_IMPORT: u32 = 4;
/// The same when it is checked: twice as much, so that what was imported here is checked here, though no two measurements are equal.
const PART_AT_CHECK: u32 = 2;
/// What takes less than this part of the bound by rule of thumb is within it on every machine.
const SURELY: u32 = 8;

/// Why a stored hash can't be checked. Reveals nothing of it but its algorithm and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// An unknown form.
    #[error(
        "the stored hash is in no form that is known here (argon2, bcrypt, scrypt, PBKDF2, or a digest that says what it is)"
    )]
    UnknownForm,
    /// A form that does not say what it is.
    #[error(
        "the stored hash does not say what made it, and more than one form looks like it; if you know which it is, name it with --format"
    )]
    Unmarked,
    /// A known form with a mistake in it. The name of the algorithm.
    #[error("the stored hash is not a correct {0} hash")]
    Malformed(&'static str),
    /// Longer than any system's; each sign-in would read all of it.
    #[error("the stored hash has more than {longest} bytes")]
    TooLong {
        /// In bytes.
        longest: usize,
    },
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
    /// It needs more time than a hash from elsewhere may use.
    #[error(
        "the stored hash ({cost}) takes about {:.2} s on this machine, more than the {:.2} s that hashing.patience allows one hash from elsewhere; raise hashing.patience to take it",
        .time.as_secs_f32(), .bound.as_secs_f32()
    )]
    TooSlow {
        /// Its parameters.
        cost: HashParameters,
        /// As measured on this machine.
        time: Duration,
        /// A fraction of the patience.
        bound: Duration,
    },
}

/// What a hash from elsewhere may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashBounds {
    /// In bytes.
    memory: u64,
    time: Duration,
}

impl HashBounds {
    /// For hashes that are imported: the memory budget in bytes, and a quarter of the patience.
    pub fn at_import(memory: u64, patience: Duration) -> Self {
        Self {
            memory,
            time: patience / PART_AT_IMPORT,
        }
    }

    /// For hashes that are stored already.
    pub(crate) fn at_check(memory: u64, patience: Duration) -> Self {
        Self {
            memory,
            time: patience / PART_AT_CHECK,
        }
    }
}

/// The parameters that a hash's cost follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashParameters {
    /// argon2, whose lanes are computed one after the other.
    Argon2 {
        /// `m`
        memory_kib: u32,
        /// `t`
        passes: u32,
    },
    /// bcrypt.
    Bcrypt {
        /// The binary logarithm of the rounds.
        cost: u32,
    },
    /// scrypt.
    Scrypt {
        /// The binary logarithm of N.
        log_n: u8,
        /// The block size.
        r: u32,
        /// The parallelization, computed one after the other.
        p: u32,
    },
    /// PBKDF2, one block.
    Pbkdf2 {
        /// What its HMAC is of.
        digest: Pbkdf2Digest,
        /// The rounds.
        iterations: u32,
    },
}

impl fmt::Display for HashParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2 { memory_kib, passes } => {
                write!(f, "argon2 with m={memory_kib},t={passes}")
            }
            Self::Bcrypt { cost } => write!(f, "bcrypt with cost {cost}"),
            Self::Scrypt { log_n, r, p } => write!(f, "scrypt with ln={log_n},r={r},p={p}"),
            Self::Pbkdf2 { digest, iterations } => {
                let name = digest.digest().name();
                write!(f, "pbkdf2-{name} with i={iterations}")
            }
        }
    }
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
        let parameters = HashParameters::Argon2 {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
        };
        Self {
            memory: MemoryDemand::Blocks(params.block_count()),
            effort: Effort::of(parameters),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self.memory {
            MemoryDemand::Blocks(blocks) => blocks as u64 * Block::SIZE as u64,
            MemoryDemand::Bytes(bytes) => bytes,
        }
    }

    /// Refuses what needs more than it may. Where the rule of thumb does not suffice, the machine is measured; that takes some tens of
    /// milliseconds the first time.
    pub(crate) fn within(&self, bounds: HashBounds) -> Result<(), UnusableHash> {
        self.within_at(bounds, measure::slowness)
    }

    fn within_at(
        &self,
        HashBounds { memory, time }: HashBounds,
        slowness: impl FnOnce(HashAlgorithm) -> f64,
    ) -> Result<(), UnusableHash> {
        let (need, Effort { cost, nominal }) = (self.bytes(), self.effort);
        if need > memory {
            return Err(UnusableHash::TooLarge {
                need,
                budget: memory,
            });
        }
        if nominal <= time / SURELY {
            return Ok(());
        }
        let measured = nominal.as_secs_f64() * slowness(cost.algorithm());
        let measured = Duration::try_from_secs_f64(measured).unwrap_or(Duration::MAX);
        if measured > time {
            return Err(UnusableHash::TooSlow {
                cost,
                time: measured,
                bound: time,
            });
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashAlgorithm {
    Argon2,
    Bcrypt,
    Scrypt,
    Pbkdf2Sha1,
    /// With SHA-224, too.
    Pbkdf2Sha256,
    /// With SHA-384, too.
    Pbkdf2Sha512,
}

impl HashAlgorithm {
    pub(crate) const ALL: [Self; 6] = [
        Self::Argon2,
        Self::Bcrypt,
        Self::Scrypt,
        Self::Pbkdf2Sha1,
        Self::Pbkdf2Sha256,
        Self::Pbkdf2Sha512,
    ];
}

/// The time that a hash needs, by rule of thumb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    cost: HashParameters,
    pub(crate) nominal: Duration,
}

impl Effort {
    pub(crate) fn of(cost: HashParameters) -> Self {
        let (units, nanoseconds) = match cost {
            HashParameters::Argon2 { memory_kib, passes } => {
                (u64::from(memory_kib) * u64::from(passes), 500)
            }
            HashParameters::Bcrypt { cost } => {
                (1_u64.checked_shl(cost).unwrap_or(u64::MAX), 60_000)
            }
            HashParameters::Scrypt { log_n, r, p } => {
                let n = 1_u64.checked_shl(log_n.into()).unwrap_or(u64::MAX);
                let blocks = n.saturating_mul(r.into()).saturating_mul(p.into());
                (blocks, 350)
            }
            HashParameters::Pbkdf2 { iterations, .. } => (iterations.into(), 400),
        };
        Self {
            cost,
            nominal: Duration::from_nanos(units.max(1).saturating_mul(nanoseconds)),
        }
    }

    pub(crate) fn algorithm(&self) -> HashAlgorithm {
        self.cost.algorithm()
    }
}

impl HashParameters {
    pub(crate) fn algorithm(self) -> HashAlgorithm {
        match self {
            Self::Argon2 { .. } => HashAlgorithm::Argon2,
            Self::Bcrypt { .. } => HashAlgorithm::Bcrypt,
            Self::Scrypt { .. } => HashAlgorithm::Scrypt,
            Self::Pbkdf2 { digest, .. } => match digest {
                Pbkdf2Digest::Sha1 => HashAlgorithm::Pbkdf2Sha1,
                Pbkdf2Digest::Sha224 | Pbkdf2Digest::Sha256 => HashAlgorithm::Pbkdf2Sha256,
                Pbkdf2Digest::Sha384 | Pbkdf2Digest::Sha512 => HashAlgorithm::Pbkdf2Sha512,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: HashParameters = HashParameters::Argon2 {
        memory_kib: 65_536,
        passes: 30,
    };

    fn demand(cost: HashParameters) -> HashDemand {
        HashDemand {
            memory: MemoryDemand::Bytes(1024),
            effort: Effort::of(cost),
        }
    }

    #[test]
    fn the_bound_is_a_part_of_the_patience_and_the_machine_decides() {
        let patience = Duration::from_secs(5);
        let (import, check) = (
            HashBounds::at_import(1024, patience),
            HashBounds::at_check(1024, patience),
        );
        // 983 ms by rule of thumb.
        assert_eq!(demand(SLOW).within_at(import, |_| 1.0), Ok(()));
        let slow = demand(SLOW).within_at(import, |_| 1.5).unwrap_err();
        assert!(
            matches!(slow, UnusableHash::TooSlow { cost: SLOW, bound, .. } if bound == Duration::from_millis(1250)),
            "{slow:?}"
        );
        assert_eq!(
            slow.to_string(),
            "the stored hash (argon2 with m=65536,t=30) takes about 1.47 s on this machine, more than the 1.25 s that \
             hashing.patience allows one hash from elsewhere; raise hashing.patience to take it"
        );
        assert_eq!(
            demand(SLOW).within_at(check, |_| 2.0),
            Ok(()),
            "what was imported on a good day is checked on a bad one"
        );
        assert!(demand(SLOW).within_at(check, |_| 3.0).is_err());
        assert_eq!(
            demand(SLOW).within_at(HashBounds::at_import(1024, patience * 2), |_| 1.5),
            Ok(()),
            "more patience takes more"
        );
    }

    #[test]
    fn the_machine_is_measured_only_where_it_matters() {
        let bounds = HashBounds::at_import(1024, Duration::from_secs(8));
        let quick = HashParameters::Bcrypt { cost: 12 };
        assert_eq!(
            demand(quick).within_at(bounds, |_| panic!("not needed")),
            Ok(())
        );
        let endless = HashParameters::Scrypt {
            log_n: 63,
            r: 8,
            p: 1,
        };
        assert!(demand(endless).within_at(bounds, |_| 0.1).is_err());
    }
}
