//! PBKDF2 (RFC 8018 §5.2) with HMAC, as `$pbkdf2-sha256$i=600000$salt$hash`; also with `l=`, the hash's length in bytes.
//!
//! A hash that is longer than its digest is one of several blocks, each of which costs as much and depends on no other. Only the first is
//! computed: it has all the bits that the digest can have, and whoever guesses passwords does the same.

use super::{
    demand::{Effort, HashDemand, HashParameters, MemoryDemand},
    digest::DigestName,
    phc::{BASE64, Phc},
};
use base64::Engine;
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// Bytes of an HMAC's states, rounded up.
const BYTES: u64 = 4 * 1024;
/// So short a hash would match passwords by chance.
const SHORTEST: usize = 4;

/// A digest that PBKDF2 is computed with here, by what its steps cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pbkdf2Digest {
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Pbkdf2Digest {
    /// The digest; `None` if PBKDF2 is not computed with it here.
    pub const fn of(digest: DigestName) -> Option<Self> {
        Some(match digest {
            DigestName::Sha1 => Self::Sha1,
            DigestName::Sha224 => Self::Sha224,
            DigestName::Sha256 => Self::Sha256,
            DigestName::Sha384 => Self::Sha384,
            DigestName::Sha512 => Self::Sha512,
            DigestName::Md4 | DigestName::Md5 => return None,
        })
    }

    pub(crate) const fn digest(self) -> DigestName {
        match self {
            Self::Sha1 => DigestName::Sha1,
            Self::Sha224 => DigestName::Sha224,
            Self::Sha256 => DigestName::Sha256,
            Self::Sha384 => DigestName::Sha384,
            Self::Sha512 => DigestName::Sha512,
        }
    }

    /// Fills `output`, which is at most as long as the digest.
    pub(crate) fn compute(self, password: &[u8], salt: &[u8], iterations: u32, output: &mut [u8]) {
        match self {
            Self::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, iterations, output),
            Self::Sha224 => pbkdf2_hmac::<Sha224>(password, salt, iterations, output),
            Self::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, iterations, output),
            Self::Sha384 => pbkdf2_hmac::<Sha384>(password, salt, iterations, output),
            Self::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, iterations, output),
        }
    }
}

pub(crate) struct Pbkdf2 {
    digest: Pbkdf2Digest,
    iterations: u32,
    salt: Vec<u8>,
    /// At most one block.
    expected: Vec<u8>,
}

impl Pbkdf2 {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let phc = Phc::parse(text).filter(|phc| phc.version.is_none())?;
        let digest = DigestName::named(phc.id.strip_prefix("pbkdf2-")?)?;
        let digest = Pbkdf2Digest::of(digest)?;
        let iterations = if phc.text("l").is_some() {
            let [iterations, length] = phc.numbers(["i", "l"])?;
            (usize::try_from(length).ok()? == phc.hash.len()).then_some(iterations)?
        } else {
            let [iterations] = phc.numbers(["i"])?;
            iterations
        };
        let mut expected = phc.hash;
        if iterations == 0 || expected.len() < SHORTEST {
            return None;
        }
        expected.truncate(digest.digest().bytes());
        Some(Self {
            digest,
            iterations,
            salt: phc.salt,
            expected,
        })
    }

    pub(crate) fn demand(&self) -> HashDemand {
        HashDemand {
            memory: MemoryDemand::Bytes(BYTES),
            effort: Effort::of(HashParameters::Pbkdf2 {
                digest: self.digest,
                iterations: self.iterations,
            }),
        }
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let mut output = vec![0; self.expected.len()];
        self.digest
            .compute(password, &self.salt, self.iterations, &mut output);
        output.ct_eq(&self.expected).into()
    }
}

/// The text that [`Pbkdf2::parse`] reads.
pub(super) fn text(digest: DigestName, iterations: u32, salt: &[u8], hash: &[u8]) -> String {
    let (name, salt, hash) = (digest.name(), BASE64.encode(salt), BASE64.encode(hash));
    format!("$pbkdf2-{name}$i={iterations}${salt}${hash}")
}
