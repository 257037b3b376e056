//! Stored hashes in all forms that can be checked. A malformed or too expensive one is refused before anything is allocated for it.

mod bcrypt;
pub(crate) mod compute;
pub(crate) mod cost;
pub(crate) mod demand;
mod digest;
mod firebase;
mod foreign;
mod pbkdf2;
mod phc;
mod scrypt;
mod spelling;

use argon2::{Algorithm, Block, MIN_SALT_LEN, Params, Version};
use bcrypt::Bcrypt;
use compute::{broken, compute};
use demand::{HashDemand, UnusableHash};
use digest::DigestHash;
pub use digest::{DigestName, PasswordEncoding, SaltUse};
pub use firebase::FirebaseParameters;
use firebase::FirebaseScrypt;
pub use foreign::ForeignHash;
use pbkdf2::Pbkdf2;
pub use pbkdf2::Pbkdf2Digest;
use phc::Phc;
use revolve_domain::ports::StoreError;
pub use scrypt::BareFormat;
use scrypt::Scrypt;
pub use spelling::from_kratos;
pub(crate) use spelling::respell;
use subtle::ConstantTimeEq;

pub(crate) enum StoredHash {
    Argon2 {
        algorithm: Algorithm,
        version: Version,
        params: Params,
        salt: Vec<u8>,
        expected: Vec<u8>,
    },
    Bcrypt(Bcrypt),
    Scrypt(Scrypt),
    Firebase(FirebaseScrypt),
    Pbkdf2(Pbkdf2),
    Digest(DigestHash),
}

impl StoredHash {
    /// A hash that is stored: the beginning of the text tells the form. An earlier release stored pairs of hex as they came, of Go's kind.
    pub(crate) fn parse(text: &str) -> Result<Self, UnusableHash> {
        match Self::parse_marked(text) {
            Err(UnusableHash::Unmarked) => BareFormat::ScryptHexSalt
                .parse(text)
                .map(Self::Scrypt)
                .ok_or(UnusableHash::UnknownForm),
            parsed => parsed,
        }
    }

    /// A hash whose text says its algorithm and parameters.
    ///
    /// # Errors
    /// [`UnusableHash::Unmarked`] for one that says none, but could be of a [`BareFormat`].
    pub(crate) fn parse_marked(text: &str) -> Result<Self, UnusableHash> {
        if text.starts_with("$argon2") {
            return argon2(text).ok_or(UnusableHash::Malformed("argon2"));
        }
        if text.starts_with("$2") || text.starts_with(bcrypt::OF_SHA256) {
            return Bcrypt::parse(text)
                .map(Self::Bcrypt)
                .ok_or(UnusableHash::Malformed("bcrypt"));
        }
        if text.starts_with("$scrypt$") {
            return Scrypt::from_phc(text)
                .map(Self::Scrypt)
                .ok_or(UnusableHash::Malformed("scrypt"));
        }
        if text.starts_with("$fbscrypt$") {
            return FirebaseScrypt::parse(text)
                .map(Self::Firebase)
                .ok_or(UnusableHash::Malformed("Firebase scrypt"));
        }
        if text.starts_with("$pbkdf2-") {
            return Pbkdf2::parse(text)
                .map(Self::Pbkdf2)
                .ok_or(UnusableHash::Malformed("pbkdf2"));
        }
        if text.starts_with("$digest$") {
            return DigestHash::parse(text)
                .map(Self::Digest)
                .ok_or(UnusableHash::Malformed("digest"));
        }
        let could_be = BareFormat::ALL
            .iter()
            .any(|format| format.parse(text).is_some());
        Err(if could_be {
            UnusableHash::Unmarked
        } else {
            UnusableHash::UnknownForm
        })
    }

    /// `None` for a digest, which takes nothing to speak of.
    pub(crate) fn demand(&self) -> Option<HashDemand> {
        Some(match self {
            Self::Argon2 { params, .. } => HashDemand::of(params),
            Self::Bcrypt(bcrypt) => bcrypt.demand(),
            Self::Scrypt(scrypt) => scrypt.demand(),
            Self::Firebase(scrypt) => scrypt.demand(),
            Self::Pbkdf2(pbkdf2) => pbkdf2.demand(),
            Self::Digest(_) => return None,
        })
    }

    /// Whether it has the algorithm and the cost of new hashes.
    pub(crate) fn is_current(&self, current: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        matches!(self, Self::Argon2 { algorithm: Algorithm::Argon2id, version: Version::V0x13, params, .. } if cost(params) == cost(current))
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, password: &str, memory: &mut [Block]) -> Result<bool, StoreError> {
        let (text, password) = (password, password.as_bytes());
        match self {
            Self::Argon2 {
                algorithm,
                version,
                params,
                salt,
                expected,
            } => {
                let output = compute(*algorithm, *version, params, password, salt, memory)?;
                Ok(output.ct_eq(expected).into())
            }
            Self::Bcrypt(bcrypt) => Ok(bcrypt.verify(password)),
            Self::Scrypt(scrypt) => scrypt.verify(password).map_err(|error| broken(&error)),
            Self::Firebase(scrypt) => scrypt.verify(password).map_err(|error| broken(&error)),
            Self::Pbkdf2(pbkdf2) => Ok(pbkdf2.verify(password)),
            Self::Digest(digest) => Ok(digest.verify(text)),
        }
    }
}

fn argon2(text: &str) -> Option<StoredHash> {
    let phc = Phc::parse(text)?;
    let algorithm = Algorithm::try_from(phc.id).ok()?;
    // As in the reference implementation, whose first version was not written down.
    let version = phc
        .version
        .map_or(Ok(Version::V0x10), Version::try_from)
        .ok()?;
    let [memory_kib, passes, lanes] = phc.numbers(["m", "t", "p"])?;
    let params = Params::new(memory_kib, passes, lanes, Some(phc.hash.len())).ok()?;
    if phc.salt.len() < MIN_SALT_LEN {
        return None;
    }
    Some(StoredHash::Argon2 {
        algorithm,
        version,
        params,
        salt: phc.salt,
        expected: phc.hash,
    })
}
