//! How a user proved who they are.

use std::fmt;

/// A method of RFC 8176 §2. Its name is that in the `amr` claim and in stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
enum AuthMethod {
    /// `otp`: a code that counts once: mailed, as a code or as the secret of a link, of an authenticator app, or a recovery code.
    Code = 1,
    /// `pwd`: the password.
    Password = 2,
    /// `hwk`: a passkey that never leaves its authenticator.
    HardwareKey = 4,
    /// `swk`: a passkey that may be copied to other authenticators.
    SoftwareKey = 8,
    /// `user`: the authenticator has verified that its user is present.
    UserPresent = 16,
    /// `mfa`: factors of two kinds.
    MultiFactor = 32,
}

impl AuthMethod {
    /// Every method, by name.
    const ALL: [Self; 6] = [
        Self::HardwareKey,
        Self::MultiFactor,
        Self::Code,
        Self::Password,
        Self::SoftwareKey,
        Self::UserPresent,
    ];

    /// The stable name.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "otp",
            Self::Password => "pwd",
            Self::HardwareKey => "hwk",
            Self::SoftwareKey => "swk",
            Self::UserPresent => "user",
            Self::MultiFactor => "mfa",
        }
    }
}

/// The methods of one authentication, at least one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuthMethods(u8);

impl AuthMethods {
    /// The password alone.
    pub const PASSWORD: Self = Self(AuthMethod::Password as u8);

    /// A mailed code alone. That a new password was chosen with it proves nothing more.
    pub const CODE: Self = Self(AuthMethod::Code as u8);

    /// A code of an authenticator app, or a recovery code, alone.
    pub const ONE_TIME_CODE: Self = Self(AuthMethod::Code as u8);

    /// A passkey whose authenticator has verified the user: that is two factors, the key and what opens it.
    pub const fn passkey(backup_eligible: bool) -> Self {
        let key = if backup_eligible {
            AuthMethod::SoftwareKey
        } else {
            AuthMethod::HardwareKey
        };
        Self(key as u8 | AuthMethod::UserPresent as u8 | AuthMethod::MultiFactor as u8)
    }

    /// These, and a factor of another kind.
    #[must_use]
    pub const fn and_factor(self, factor: Self) -> Self {
        Self(self.0 | factor.0 | AuthMethod::MultiFactor as u8)
    }

    /// Whether factors of two kinds were shown.
    pub const fn is_multi_factor(self) -> bool {
        self.0 & AuthMethod::MultiFactor as u8 != 0
    }

    /// Whether the password was shown.
    pub const fn has_password(self) -> bool {
        self.0 & AuthMethod::Password as u8 != 0
    }

    /// A mailed code and a password.
    pub const CODE_AND_PASSWORD: Self = Self(Self::CODE.0 | Self::PASSWORD.0);

    /// The names of the methods, each once, in alphabetical order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        AuthMethod::ALL
            .into_iter()
            .filter(move |method| (self.0 & *method as u8) != 0)
            .map(AuthMethod::as_str)
    }

    /// Reads what [`Display`](fmt::Display) writes, the names in any order; `None` if one is unknown or there is none.
    pub fn named(names: &str) -> Option<Self> {
        names
            .split(' ')
            .try_fold(0, |methods, name| {
                let method = AuthMethod::ALL
                    .into_iter()
                    .find(|method| method.as_str() == name)?;
                Some(methods | method as u8)
            })
            .map(Self)
    }
}

/// The names with spaces between, as stores keep them.
impl fmt::Display for AuthMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for AuthMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthMethods({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_read_as_they_are_written() {
        for (methods, names) in [
            (AuthMethods::PASSWORD, "pwd"),
            (AuthMethods::CODE, "otp"),
            (AuthMethods::CODE_AND_PASSWORD, "otp pwd"),
            (AuthMethods::passkey(false), "hwk mfa user"),
            (AuthMethods::passkey(true), "mfa swk user"),
            (
                AuthMethods::PASSWORD.and_factor(AuthMethods::ONE_TIME_CODE),
                "mfa otp pwd",
            ),
        ] {
            assert_eq!(methods.to_string(), names);
            assert_eq!(AuthMethods::named(names), Some(methods));
        }
        for bad in ["", " ", "pwd ", "PWD", "pwd,otp", "sms"] {
            assert_eq!(AuthMethods::named(bad), None, "{bad:?}");
        }
    }
}
