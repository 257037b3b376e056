//! Hashes as they are stored, and what checking one takes. What can't be read or would take too much is refused before anything is
//! allocated for it.

mod bcrypt;
mod scrypt;

use super::{Effort, broken, compute, pace::Kind};
use argon2::{
    Algorithm, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash as Phc, Salt},
};
use bcrypt::Bcrypt;
use revolve_domain::ports::StoreError;
use scrypt::Scrypt;
use std::time::Duration;
use subtle::ConstantTimeEq;

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
pub(super) struct Demand {
    pub(super) space: Space,
    pub(super) effort: Effort,
}

/// The memory for a hash.
#[derive(Clone, Copy, Debug)]
pub(super) enum Space {
    /// So many blocks of argon2, which come from the pool.
    Blocks(usize),
    /// So many bytes that the algorithm allocates itself.
    Own(u64),
}

impl Demand {
    pub(super) fn of(params: &Params) -> Self {
        let units = u64::from(params.m_cost()) * u64::from(params.t_cost());
        Self {
            space: Space::Blocks(params.block_count()),
            effort: Effort::new(Kind::Argon2, units),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        match self.space {
            Space::Blocks(blocks) => blocks as u64 * Block::SIZE as u64,
            Space::Own(bytes) => bytes,
        }
    }

    /// Whether it may be computed at all.
    pub(super) fn within(&self, budget: u64) -> Result<(), UnusableHash> {
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

/// A stored hash.
pub(super) enum Stored {
    Argon2 {
        algorithm: Algorithm,
        version: Version,
        params: Params,
        salt: Salt,
        expected: Output,
    },
    Bcrypt(Bcrypt),
    Scrypt(Scrypt),
}

impl Stored {
    /// The form is told by how the text begins; only the hex pair has no mark.
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        if text.starts_with("$argon2") {
            return argon2(text).ok_or(UnusableHash::Malformed("argon2"));
        }
        if text.starts_with("$2") {
            return Bcrypt::parse(text)
                .map(Self::Bcrypt)
                .ok_or(UnusableHash::Malformed("bcrypt"));
        }
        if text.starts_with("$scrypt$") {
            return Scrypt::from_phc(text)
                .map(Self::Scrypt)
                .ok_or(UnusableHash::Malformed("scrypt"));
        }
        Scrypt::from_hex_pair(text)
            .map(Self::Scrypt)
            .ok_or(UnusableHash::UnknownForm)
    }

    pub(super) fn demand(&self) -> Demand {
        match self {
            Self::Argon2 { params, .. } => Demand::of(params),
            Self::Bcrypt(bcrypt) => bcrypt.demand(),
            Self::Scrypt(scrypt) => scrypt.demand(),
        }
    }

    /// Whether it was made as hashes are made today.
    pub(super) fn is_todays(&self, today: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        matches!(self, Self::Argon2 { algorithm: Algorithm::Argon2id, version: Version::V0x13, params, .. } if cost(params) == cost(today))
    }

    /// Computes the hash and compares in constant time.
    pub(super) fn verify(&self, password: &[u8], memory: &mut [Block]) -> Result<bool, StoreError> {
        match self {
            Self::Argon2 {
                algorithm,
                version,
                params,
                salt,
                expected,
            } => {
                let output = compute(*algorithm, *version, params, password, salt, memory)?;
                Ok(output.ct_eq(expected.as_bytes()).into())
            }
            Self::Bcrypt(bcrypt) => Ok(bcrypt.verify(password)),
            Self::Scrypt(scrypt) => scrypt.verify(password).map_err(|error| broken(&error)),
        }
    }
}

fn argon2(text: &str) -> Option<Stored> {
    let phc = Phc::new(text).ok()?;
    let algorithm = Algorithm::try_from(phc.algorithm.as_str()).ok()?;
    // As in the reference implementation, whose first version did not name itself.
    let version = phc
        .version
        .map_or(Ok(Version::V0x10), Version::try_from)
        .ok()?;
    let params = Params::try_from(&phc).ok()?;
    Some(Stored::Argon2 {
        algorithm,
        version,
        params,
        salt: phc.salt?,
        expected: phc.hash?,
    })
}
