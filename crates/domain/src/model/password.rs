//! Passwords, and their hashes.

use super::FieldError;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

/// A password as its owner chose it: any Unicode, NFC-normalised, never trimmed, never truncated.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// The least number of characters of a new password that a policy may ask for (NIST SP 800-63B-4 §3.1.1.2).
    pub const MIN: usize = 8;
    /// The greatest number of characters. Not configurable, so that no policy locks out an account with a long password.
    pub const MAX: usize = 256;

    /// A new password, of at least `min` characters ([`Self::MIN`] if that is more). There are no rules
    /// about kinds of characters; only control characters are refused, since most keyboards can't repeat them. Whether it is
    /// easy to guess is up to [`PasswordStrength`](crate::ports::PasswordStrength).
    ///
    /// # Errors
    /// [`FieldError::TooShort`] or [`FieldError::TooLong`], counted in characters after normalisation, or
    /// [`FieldError::ControlCharacters`].
    pub fn choose(text: &SecretString, min: usize) -> Result<Self, FieldError> {
        let (password, min) = (Self::present(text)?, min.max(Self::MIN));
        if password.expose().chars().count() < min {
            return Err(FieldError::TooShort { min });
        }
        if password.expose().chars().any(char::is_control) {
            return Err(FieldError::ControlCharacters);
        }
        Ok(password)
    }

    /// A password to check: a short one is just wrong, one that is too long is refused before it is hashed.
    ///
    /// # Errors
    /// [`FieldError::TooLong`].
    pub fn present(text: &SecretString) -> Result<Self, FieldError> {
        let normal: String = text.expose_secret().nfc().collect();
        let normal = SecretString::from(normal);
        if normal.expose_secret().chars().count() > Self::MAX {
            return Err(FieldError::TooLong { max: Self::MAX });
        }
        Ok(Self(normal))
    }

    /// The characters to hash.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A password hash with its parameters: a PHC string, or another form that the hasher supports (an imported hash). An imported account may
/// have a mark in its place, which no password matches: [`HashKind`].
#[derive(Clone, Debug)]
pub struct PasswordHash(SecretString);

/// What an account has to check a password against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashKind {
    /// A hash, for the hasher.
    Hash,
    /// Nothing: the account has no password.
    NoPassword,
    /// The system that the account came from, until it has confirmed a password: [`crate::ports::LegacyVerifier`].
    Legacy,
}

impl PasswordHash {
    /// Kept in the place of a hash. They are in no form that a hasher supports.
    const NO_PASSWORD: &'static str = "$none$";
    const LEGACY: &'static str = "$legacy$";

    /// Wraps a text from a hasher, a store or an import.
    pub fn from_phc(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The mark of an account without a password.
    pub fn no_password() -> Self {
        Self::from_phc(Self::NO_PASSWORD.to_owned())
    }

    /// The mark of an account whose password only the system knows that it came from.
    pub fn legacy() -> Self {
        Self::from_phc(Self::LEGACY.to_owned())
    }

    /// What it is.
    pub fn kind(&self) -> HashKind {
        match self.expose() {
            Self::NO_PASSWORD => HashKind::NoPassword,
            Self::LEGACY => HashKind::Legacy,
            _ => HashKind::Hash,
        }
    }

    /// The text.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_normalised_never_trimmed_and_counted_in_characters() {
        let choose = |s: &str| Password::choose(&SecretString::from(s), 0);
        assert_eq!(choose(" e\u{301}asypass ").unwrap().expose(), " éasypass ");
        assert_eq!(
            choose("1234567").unwrap_err(),
            FieldError::TooShort { min: 8 }
        );
        assert_eq!(
            choose("ééééééé").unwrap_err(),
            FieldError::TooShort { min: 8 },
            "bytes don't count"
        );
        assert!(choose(&"é".repeat(256)).is_ok());
        assert_eq!(
            choose(&"é".repeat(257)).unwrap_err(),
            FieldError::TooLong { max: 256 }
        );
        assert!(!format!("{:?}", choose("correct horse").unwrap()).contains("horse"));
    }

    #[test]
    fn a_policy_may_ask_for_longer_passwords_but_not_for_shorter_ones() {
        let choose = |min| Password::choose(&SecretString::from("correct horse"), min).map(drop);
        assert_eq!(
            (choose(13), choose(14)),
            (Ok(()), Err(FieldError::TooShort { min: 14 }))
        );
        assert_eq!(
            Password::choose(&SecretString::from("1234567"), 1).unwrap_err(),
            FieldError::TooShort { min: 8 }
        );
    }

    #[test]
    fn a_new_password_has_no_control_characters_but_any_other() {
        let choose = |s: &str| Password::choose(&SecretString::from(s), 8).map(drop);
        for c in ['\0', '\t', '\n', '\u{7f}', '\u{85}'] {
            assert_eq!(
                choose(&format!("correct{c}horse")),
                Err(FieldError::ControlCharacters),
                "{c:?}"
            );
        }
        for c in [' ', '\u{a0}', '\u{202e}', '\u{200d}', '🦀', '漢', '\'', '<'] {
            assert_eq!(choose(&format!("correct{c}horse")), Ok(()), "{c:?}");
        }
        assert!(
            Password::present(&SecretString::from("correct\0horse")).is_ok(),
            "who has one can still sign in"
        );
    }
}
