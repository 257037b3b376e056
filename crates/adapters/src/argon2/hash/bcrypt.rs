//! bcrypt: `$2a$`, `$2b$` and `$2y$`, which are one algorithm. Not `$2x$`, which marks hashes of an implementation with a bug.
//!
//! bcrypt uses the first 72 bytes of the password as UTF-8 with a NUL terminator. The rest of a longer password does not count until the
//! next sign-in replaces the hash with argon2id. A NUL within the password is a byte like any other, as in most implementations; a hash by
//! one that reads a C string covers less and does not match such a password.
//!
//! `$bcrypt-sha256-hex$2b$…` is bcrypt of the password's SHA-256 in hexadecimal digits, as Django's `bcrypt_sha256` makes it.

use super::demand::{Effort, HashDemand, HashParameters, MemoryDemand};
use base16ct::lower;
use base64::{
    Engine,
    alphabet::BCRYPT,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::NO_PAD},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of the key schedule, rounded up.
const BYTES: u64 = 8 * 1024;
const LONGEST_KEY: usize = 72;

/// The last character of a salt has four unused bits, which some implementations set.
const BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, config());

const fn config() -> GeneralPurposeConfig {
    NO_PAD.with_decode_allow_trailing_bits(true)
}

/// What comes before the bcrypt string where the password's SHA-256 is hashed.
pub(super) const OF_SHA256: &str = "$bcrypt-sha256-hex";

pub(crate) struct Bcrypt {
    of_sha256: bool,
    cost: u32,
    salt: [u8; 16],
    expected: [u8; 23],
}

impl Bcrypt {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix(OF_SHA256);
        let text = inner.unwrap_or(text);
        if text.len() != 60
            || !text.is_ascii()
            || !["$2a$", "$2b$", "$2y$"].contains(&&text[..4])
            || &text[6..7] != "$"
        {
            return None;
        }
        let digits = &text[4..6];
        let cost = digits
            .parse()
            .ok()
            .filter(|cost| (4..=31).contains(cost) && digits.bytes().all(|b| b.is_ascii_digit()))?;
        let decode = |text: &str| BASE64.decode(text).ok();
        Some(Self {
            of_sha256: inner.is_some(),
            cost,
            salt: decode(&text[7..29])?.try_into().ok()?,
            expected: decode(&text[29..])?.try_into().ok()?,
        })
    }

    pub(crate) fn demand(&self) -> HashDemand {
        HashDemand {
            memory: MemoryDemand::Bytes(BYTES),
            effort: Effort::of(HashParameters::Bcrypt { cost: self.cost }),
        }
    }

    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let digits;
        let password = if self.of_sha256 {
            digits = Zeroizing::new(lower::encode_string(&Sha256::digest(password)));
            digits.as_bytes()
        } else {
            password
        };
        let mut key = Zeroizing::new([0; LONGEST_KEY]);
        let length = password.len().min(LONGEST_KEY);
        key[..length].copy_from_slice(&password[..length]);
        let key = &key[..(length + 1).min(LONGEST_KEY)];
        bcrypt::bcrypt(self.cost, self.salt, key)[..23]
            .ct_eq(&self.expected)
            .into()
    }
}
