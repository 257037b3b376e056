//! Stored hashes in all forms that can be checked. A malformed or too expensive one is refused before anything is allocated for it.

mod bcrypt;
pub(crate) mod compute;
pub(crate) mod cost;
pub(crate) mod demand;
mod scrypt;

use argon2::{
    Algorithm, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash as Phc, Salt},
};
use bcrypt::Bcrypt;
use compute::{broken, compute};
use demand::{HashDemand, UnusableHash};
use revolve_domain::ports::StoreError;
use scrypt::Scrypt;
use subtle::ConstantTimeEq;

pub(crate) enum StoredHash {
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

impl StoredHash {
    /// The beginning of the text tells the form; only the hex pair has none.
    pub(crate) fn parse(text: &str) -> Result<Self, UnusableHash> {
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

    pub(crate) fn demand(&self) -> HashDemand {
        match self {
            Self::Argon2 { params, .. } => HashDemand::of(params),
            Self::Bcrypt(bcrypt) => bcrypt.demand(),
            Self::Scrypt(scrypt) => scrypt.demand(),
        }
    }

    /// Whether it has the algorithm and the cost of new hashes.
    pub(crate) fn is_current(&self, current: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        matches!(self, Self::Argon2 { algorithm: Algorithm::Argon2id, version: Version::V0x13, params, .. } if cost(params) == cost(current))
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, password: &[u8], memory: &mut [Block]) -> Result<bool, StoreError> {
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

fn argon2(text: &str) -> Option<StoredHash> {
    let phc = Phc::new(text).ok()?;
    let algorithm = Algorithm::try_from(phc.algorithm.as_str()).ok()?;
    // As in the reference implementation, whose first version was not written down.
    let version = phc
        .version
        .map_or(Ok(Version::V0x10), Version::try_from)
        .ok()?;
    let params = Params::try_from(&phc).ok()?;
    Some(StoredHash::Argon2 {
        algorithm,
        version,
        params,
        salt: phc.salt?,
        expected: phc.hash?,
    })
}
