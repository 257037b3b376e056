//! Hashes of other systems whose parts are apart, as exports have them.

use super::{
    digest::{self, DigestName, PasswordEncoding, SaltUse},
    firebase::{self, FirebaseParameters},
    pbkdf2,
    phc::BASE64,
};
use base64::Engine;
use revolve_domain::model::PasswordHash;

/// What made a hash. Whether its parameters make sense is seen when it is adopted.
#[derive(Clone, Copy)]
pub enum ForeignHash<'a> {
    /// argon2.
    Argon2 {
        /// `argon2d`, `argon2i` or `argon2id`.
        kind: &'a str,
        /// 16 or 19.
        version: u32,
        /// In KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// PBKDF2 with HMAC.
    Pbkdf2 {
        /// The digest.
        digest: DigestName,
        /// Its rounds.
        iterations: u32,
    },
    /// scrypt.
    Scrypt {
        /// The cost itself, a power of two; not its logarithm.
        n: u64,
        /// The block size.
        r: u32,
        /// The parallelization.
        p: u32,
    },
    /// Firebase's modified scrypt.
    Firebase(&'a FirebaseParameters),
    /// A digest or an HMAC.
    Digest {
        /// The digest.
        digest: DigestName,
        /// How the password becomes bytes.
        encoding: PasswordEncoding,
        /// What the salt is.
        salt_use: SaltUse,
    },
}

impl ForeignHash<'_> {
    /// The hash as a text that says all this; `None` if no text can.
    pub fn to_hash(self, salt: &[u8], hash: &[u8]) -> Option<PasswordHash> {
        self.text(salt, hash).map(PasswordHash::from_phc)
    }

    pub(super) fn text(self, salt: &[u8], hash: &[u8]) -> Option<String> {
        let phc = |head: String| {
            let (salt, hash) = (BASE64.encode(salt), BASE64.encode(hash));
            format!("{head}${salt}${hash}")
        };
        Some(match self {
            Self::Argon2 {
                kind,
                version,
                memory_kib,
                passes,
                lanes,
            } => phc(format!(
                "${kind}$v={version}$m={memory_kib},t={passes},p={lanes}"
            )),
            Self::Pbkdf2 { digest, iterations } => pbkdf2::text(digest, iterations, salt, hash),
            Self::Scrypt { n, r, p } if n.is_power_of_two() => {
                phc(format!("$scrypt$ln={},r={r},p={p}", n.ilog2()))
            }
            Self::Scrypt { .. } => return None,
            Self::Firebase(parameters) => firebase::text(parameters, salt, hash),
            Self::Digest {
                digest,
                encoding,
                salt_use,
            } => digest::text(digest, encoding, salt_use, salt, hash),
        })
    }
}
