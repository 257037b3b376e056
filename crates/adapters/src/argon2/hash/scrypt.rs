//! scrypt (RFC 7914), as a PHC string `$scrypt$ln=…,r=…,p=…$salt$hash` or as the pair `hex(hash).hex(salt)`.
//!
//! Many Go services store the pair: `scrypt.Key(password, salt, 32768, 8, 1, len(hash))`, where the salt is the decoded bytes, not the hex
//! text. The library allocates its memory itself and does not wipe it; the pair needs just above 32 MiB, and from there on the allocator
//! returns memory to the system at once.

use super::demand::{Effort, HashDemand, HashParameters, MemoryDemand};
use argon2::password_hash::phc::PasswordHash as Phc;
use base16ct::mixed;
use scrypt::{Params, errors::InvalidOutputLen, scrypt};
use subtle::ConstantTimeEq;

/// Of the pair: log₂ 32768, r and p.
const PAIR: (u8, u32, u32) = (15, 8, 1);
/// Bytes of hash and salt in a pair.
const HASH: std::ops::RangeInclusive<usize> = 16..=64;
const SALT: std::ops::RangeInclusive<usize> = 8..=64;

pub(crate) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

impl Scrypt {
    pub(crate) fn from_phc(text: &str) -> Option<Self> {
        let phc = Phc::new(text).ok().filter(|phc| phc.version.is_none())?;
        let number = |name: &str| phc.params.get_decimal(name);
        if phc.params.iter().count() != 3 {
            return None;
        }
        let params =
            Params::new(number("ln")?.try_into().ok()?, number("r")?, number("p")?).ok()?;
        Some(Self {
            params,
            salt: phc.salt?.to_vec(),
            expected: phc.hash?.as_bytes().to_vec(),
        })
        .filter(Self::is_sound)
    }

    pub(crate) fn from_hex_pair(text: &str) -> Option<Self> {
        let (hash, salt) = text.split_once('.')?;
        let (expected, salt) = (mixed::decode_vec(hash).ok()?, mixed::decode_vec(salt).ok()?);
        let (ln, r, p) = PAIR;
        let found = HASH.contains(&expected.len()) && SALT.contains(&salt.len());
        found.then_some(Self {
            params: Params::new(ln, r, p).ok()?,
            salt,
            expected,
        })
    }

    /// N is more than 1 (RFC 7914 §6).
    fn is_sound(&self) -> bool {
        self.params.log_n() > 0
    }

    pub(crate) fn demand(&self) -> HashDemand {
        let (n, r, p) = (
            self.params.n(),
            u64::from(self.params.r()),
            u64::from(self.params.p()),
        );
        // V, B and a block to work on.
        let bytes = n.saturating_add(p + 1).saturating_mul(r * 128);
        HashDemand {
            memory: MemoryDemand::Bytes(bytes),
            effort: Effort::of(HashParameters::Scrypt {
                log_n: self.params.log_n(),
                r: self.params.r(),
                p: self.params.p(),
            }),
        }
    }

    pub(crate) fn verify(&self, password: &[u8]) -> Result<bool, InvalidOutputLen> {
        let mut output = vec![0; self.expected.len()];
        scrypt(password, &self.salt, &self.params, &mut output)?;
        Ok(output.ct_eq(&self.expected).into())
    }
}
