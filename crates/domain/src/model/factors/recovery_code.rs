//! Recovery codes: what an account is opened with once the other factors are lost.

use crate::model::{SealedKey, Timestamp, UserId};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use std::fmt;
use subtle::ConstantTimeEq;

/// A code of 80 bits. It is shown as 16 characters of Crockford's base 32, in groups of four.
#[derive(Debug)]
pub struct RecoveryCode(SecretBox<[u8; 10]>);

impl RecoveryCode {
    /// How many a set has.
    pub const SET: usize = 10;

    const ALPHABET: &'static [u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// One of random bytes.
    pub fn from_random(bytes: [u8; 10]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Reads what [`Self::shown`] writes, in either case; hyphens and spaces are ignored, and `I`, `L` and `O` are taken for the digits that they
    /// look like. `None` if it can't be one.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret();
        if text.len() > 64 {
            return None;
        }
        let mut bits = 0_u128;
        let mut characters = 0;
        for c in text.bytes().filter(|c| !matches!(c, b'-' | b' ')) {
            let c = match c.to_ascii_uppercase() {
                b'I' | b'L' => b'1',
                b'O' => b'0',
                other => other,
            };
            let value = Self::ALPHABET.iter().position(|known| *known == c)?;
            characters += 1;
            if characters > 16 {
                return None;
            }
            bits = (bits << 5) | value as u128;
        }
        if characters != 16 {
            return None;
        }
        let bytes = bits.to_be_bytes();
        let code = bytes.last_chunk::<10>()?;
        Some(Self::from_random(*code))
    }

    /// For the user.
    pub fn shown(&self) -> SecretString {
        let mut bytes = [0; 16];
        bytes[6..].copy_from_slice(self.expose());
        let bits = u128::from_be_bytes(bytes);
        let mut text = String::with_capacity(19);
        for place in 0..16 {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            let value = (bits >> (75 - 5 * place)) & 31;
            text.push(char::from(Self::ALPHABET[value as usize]));
        }
        SecretString::from(text)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 10] {
        self.0.expose_secret()
    }
}

/// The MAC of a recovery code under the key of its set.
#[derive(Clone, Copy)]
pub struct CodeMac([u8; Self::LENGTH]);

impl CodeMac {
    /// The number of bytes.
    pub const LENGTH: usize = 32;

    /// One that was computed or that a store has.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// In a time that does not depend on where they differ.
impl PartialEq for CodeMac {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CodeMac {}

impl fmt::Debug for CodeMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeMac(…)")
    }
}

/// The recovery codes of an account that were not used yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCodes {
    /// The account.
    pub user: UserId,
    /// The key of the MACs, sealed for this account. Each set has its own.
    pub key: SealedKey,
    /// At most [`RecoveryCode::SET`].
    pub macs: Vec<CodeMac>,
    /// When the set was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_shown_however_it_is_typed() {
        for bytes in [[0; 10], [0xff; 10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] {
            let code = RecoveryCode::from_random(bytes);
            let shown = code.shown();
            assert_eq!(shown.expose_secret().len(), 19);
            let typed = shown.expose_secret().to_lowercase().replace('-', " ");
            for text in [shown.expose_secret(), &typed] {
                let read = RecoveryCode::parse(&SecretString::from(text)).unwrap();
                assert_eq!(read.expose(), &bytes);
            }
        }
        let read = |text: &str| RecoveryCode::parse(&SecretString::from(text));
        assert_eq!(
            read("oooo-iiii-llll-0000").unwrap().expose(),
            read("0000-1111-1111-0000").unwrap().expose()
        );
        for bad in [
            "",
            "0000-0000-0000-000",
            "0000-0000-0000-00000",
            "U000-0000-0000-0000",
            "é",
        ] {
            assert!(read(bad).is_none(), "{bad:?}");
        }
    }
}
