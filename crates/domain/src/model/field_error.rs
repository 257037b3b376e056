//! Why user input is refused.

/// Why a field was refused. The code is stable and part of the HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// Not an e-mail address.
    #[error("is not a valid e-mail address")]
    InvalidEmail,
    /// Shorter than allowed.
    #[error("must have at least {min} characters")]
    TooShort {
        /// The least number of characters.
        min: usize,
    },
    /// Longer than allowed.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The greatest number of characters.
        max: usize,
    },
    /// Contains control characters, characters that change the direction of text, or invisible ones.
    #[error(
        "must not contain control characters, line breaks, invisible characters or characters that change the direction of text"
    )]
    ControlCharacters,
    /// Not an absolute http or https URL, or one with a user name in it.
    #[error("must be an absolute http or https URL, without a user name or password in it")]
    InvalidUrl,
    /// A URL whose host is this machine or one of a private network.
    #[error("must not name this machine or a host of a private network")]
    PrivateHost,
    /// Not a language tag.
    #[error("must be a language tag such as `en` or `de-CH`, of at most 35 characters")]
    InvalidLocale,
    /// Not a UUID.
    #[error("must be a UUID")]
    InvalidId,
    /// The nil or the max UUID.
    #[error("must not be the nil or the max UUID, which are no account's id")]
    ReservedId,
    /// Not a code that a mail has.
    #[error("must be the six digits of the mail")]
    InvalidCode,
    /// Not a code that an authenticator app shows.
    #[error("must be the six digits that the app shows")]
    InvalidOneTimeCode,
    /// Not a recovery code.
    #[error("must be a recovery code: 16 letters and digits, such as 7Q2M-X0HD-93VK-ZT4P")]
    InvalidRecoveryCode,
    /// A password that is common or easy to guess.
    #[error(
        "is a common password or follows a common pattern, so it would be guessed soon; several unrelated words make a good one"
    )]
    TooCommon,
    /// A password made of context-specific words: the user's details or the service's name.
    #[error(
        "is built from your e-mail address, your name, your device or this service, which others know too; choose something unrelated"
    )]
    ContainsOwnDetails,
    /// Not a role.
    #[error("must be 1 to 64 of the characters a to z, 0 to 9, `:`, `_`, `.` and `-`")]
    InvalidRole,
    /// More than allowed.
    #[error("must be at most {max}")]
    TooMany {
        /// The greatest number.
        max: usize,
    },
    /// Not a JSON object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// Longer than allowed as JSON.
    #[error("must have at most {max} bytes as JSON")]
    TooLarge {
        /// The greatest number of bytes.
        max: usize,
    },
    /// Arrays and objects in more others than allowed.
    #[error("must be nested at most {max} deep")]
    TooDeep {
        /// The greatest depth.
        max: usize,
    },
}

impl FieldError {
    /// The stable code of the HTTP API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidEmail => "invalid_email",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacters => "control_characters",
            Self::InvalidUrl | Self::PrivateHost => "invalid_url",
            Self::InvalidLocale => "invalid_locale",
            Self::InvalidId | Self::ReservedId => "invalid_id",
            Self::InvalidCode | Self::InvalidOneTimeCode | Self::InvalidRecoveryCode => {
                "invalid_code"
            }
            Self::TooCommon => "too_common",
            Self::ContainsOwnDetails => "contains_own_details",
            Self::InvalidRole => "invalid_role",
            Self::TooMany { .. } => "too_many",
            Self::NotAnObject => "wrong_type",
            Self::TooLarge { .. } => "too_large",
            Self::TooDeep { .. } => "too_deep",
        }
    }
}
