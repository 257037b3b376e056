//! Time-based one-time passwords (RFC 6238).

use crate::model::{SealedKey, Timestamp, UserId};
use secrecy::{ExposeSecret, SecretString};

/// The number of a step of 30 s since the Unix epoch (RFC 6238 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TotpStep(u64);

impl TotpStep {
    /// The seconds of a step.
    pub const SECONDS: u64 = 30;

    /// A step that was computed or that a store has.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A code of six decimal digits, as it was typed; spaces are ignored.
#[derive(Clone, Debug)]
pub struct OneTimeCode(SecretString);

impl OneTimeCode {
    /// The number of digits.
    pub const DIGITS: usize = 6;

    /// `None` if it can't be one.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret();
        // Far more than anybody types; the rest need not be looked at.
        if text.len() > 32 {
            return None;
        }
        let digits: String = text.chars().filter(|c| *c != ' ').collect();
        let is_code = digits.len() == Self::DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        is_code.then(|| Self(SecretString::from(digits)))
    }

    /// The digits.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The secret that an account shares with an authenticator app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The account.
    pub user: UserId,
    /// The secret, sealed for this account.
    pub sealed: SealedKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a code of it was shown. Until then it counts for nothing.
    pub confirmed_at: Option<Timestamp>,
    /// The step of the last code that counted: only codes of later steps count (RFC 6238 §5.2).
    pub last_step: Option<TotpStep>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_six_digits() {
        let parse = |text: &str| OneTimeCode::parse(&SecretString::from(text));
        assert_eq!(parse("012345").unwrap().expose(), "012345");
        assert_eq!(parse(" 012 345 ").unwrap().expose(), "012345");
        for bad in ["", "12345", "1234567", "12345a", "12-345", "１２３４５６"] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }
}
