//! User input, parsed once into types that hold only valid values.

use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use url::Url;

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
    /// Not a code that a mail has.
    #[error("must be the six digits of the mail")]
    InvalidCode,
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
            Self::InvalidId => "invalid_id",
            Self::InvalidCode => "invalid_code",
            Self::TooCommon => "too_common",
            Self::ContainsOwnDetails => "contains_own_details",
        }
    }
}

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

/// A password hash with its parameters: a PHC string, or another form that the hasher supports (an imported hash).
#[derive(Clone, Debug)]
pub struct PasswordHash(SecretString);

impl PasswordHash {
    /// Wraps a text from a hasher, a store or an import.
    pub fn from_phc(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Characters that a line of text must not have: control characters, line and paragraph separators, and those that override or
/// isolate the direction of text, which can make one name look like another (Unicode TR 36 §3).
pub(super) const fn is_hidden(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether it shows nothing where it stands: ignorable by default (Unicode §5.21), or a blank that looks like none.
pub(super) fn is_invisible(c: char) -> bool {
    c == '\u{2800}' || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether it shows nothing.
fn is_blank(c: char) -> bool {
    is_invisible(c) || c.is_whitespace()
}

/// Spaces, and invisible characters that scripts and emoji need: joiners, marks of direction, variation selectors, tags of flags.
const fn is_shaping(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{200c}'..='\u{200f}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0020}'..='\u{e007f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// A line of text for display (a user's or a device's name): NFC, trimmed, 1 to 100 characters, no control characters and none
/// that change the direction of text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(String);

impl Label {
    /// The greatest number of characters.
    pub const MAX: usize = 100;

    /// Parses a line of text, in which something can be seen.
    ///
    /// # Errors
    /// [`FieldError::TooShort`], [`FieldError::TooLong`] or [`FieldError::ControlCharacters`].
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let label = Self::stored(text)?;
        if label.0.chars().all(is_blank) {
            return Err(FieldError::TooShort { min: 1 });
        }
        if label.0.chars().any(|c| is_blank(c) && !is_shaping(c)) {
            return Err(FieldError::ControlCharacters);
        }
        Ok(label)
    }

    /// A label that a store has. An earlier release took invisible characters.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn stored(text: &str) -> Result<Self, FieldError> {
        let normal: String = text.trim().nfc().collect();
        match normal.chars().count() {
            0 => return Err(FieldError::TooShort { min: 1 }),
            n if n > Self::MAX => return Err(FieldError::TooLong { max: Self::MAX }),
            _ => {}
        }
        if normal.chars().any(is_hidden) {
            return Err(FieldError::ControlCharacters);
        }
        Ok(Self(normal))
    }

    /// A label from text that a client sent: forbidden characters are dropped, and it is cut to the greatest length.
    pub fn lossy(text: &str) -> Option<Self> {
        let kept: String = text
            .nfc()
            .filter(|c| !is_hidden(*c) && (!is_blank(*c) || is_shaping(*c)))
            .take(Self::MAX)
            .collect();
        Self::parse(&kept).ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An absolute `http` or `https` URL of at most 2048 characters: no scheme that a browser executes, and no user name or
/// password, which readers could take for the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// The greatest number of characters.
    pub const MAX: usize = 2048;

    /// Parses and normalises a URL (WHATWG URL standard).
    ///
    /// # Errors
    /// [`FieldError::TooLong`], [`FieldError::ControlCharacters`] or [`FieldError::InvalidUrl`].
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let too_long = FieldError::TooLong { max: Self::MAX };
        if text.len() > Self::MAX {
            return Err(too_long);
        }
        if text.chars().any(is_hidden) {
            return Err(FieldError::ControlCharacters);
        }
        let url = Url::parse(text.trim()).map_err(|_| FieldError::InvalidUrl)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || has_user {
            return Err(FieldError::InvalidUrl);
        }
        // Normalising escapes characters, which makes them longer.
        let url = String::from(url);
        if url.len() > Self::MAX {
            Err(too_long)
        } else {
            Ok(Self(url))
        }
    }

    /// Parses a URL that others' browsers and services load: its host is not this machine and not in a private network, however it is
    /// written. A public name may still lead to a private address.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`FieldError::PrivateHost`].
    pub fn parse_public(text: &str) -> Result<Self, FieldError> {
        let url = Self::parse(text)?;
        let parsed = Url::parse(url.as_str()).map_err(|_| FieldError::InvalidUrl)?;
        if super::hosts::is_public(parsed.host().as_ref()) {
            Ok(url)
        } else {
            Err(FieldError::PrivateHost)
        }
    }

    /// The normalised URL.
    pub fn as_str(&self) -> &str {
        &self.0
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

    #[test]
    fn a_label_can_be_seen() {
        for blank in [
            "\u{3164}",
            "\u{2800}",
            "\u{200b}",
            "\u{ad}\u{2060}",
            "\u{200d}",
            "\u{2800} \u{3164}",
        ] {
            assert_eq!(
                Label::parse(blank),
                Err(FieldError::TooShort { min: 1 }),
                "{blank:?}"
            );
            assert!(Label::lossy(blank).is_none(), "{blank:?}");
        }
        for hidden in ["An\u{200b}n", "Ann\u{3164}", "\u{2800}Ann", "A\u{ad}nn"] {
            assert_eq!(
                Label::parse(hidden),
                Err(FieldError::ControlCharacters),
                "{hidden:?}"
            );
            assert_eq!(Label::lossy(hidden).unwrap().as_str(), "Ann");
            assert!(Label::stored(hidden).is_ok(), "an earlier release took it");
        }
        for good in [
            "Ann B",
            "Ann\u{a0}B",
            "❤\u{fe0f}",
            "می\u{200c}خواهم",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            "漢\u{3000}字",
        ] {
            assert!(Label::parse(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_picture_is_on_a_public_host() {
        for private in [
            "http://localhost/a",
            "http://LOCALHOST./a",
            "http://a.localhost/a",
            "http://printer/a",
            "http://nas.local/a",
            "http://db.internal/a",
            "http://router.home.arpa/a",
            "http://127.0.0.1/a",
            "http://2130706433/a",
            "http://0x7f.1/a",
            "http://017700000001/a",
            "http://127.1/a",
            "http://0/a",
            "http://10.1.2.3/a",
            "http://172.16.0.1/a",
            "http://192.168.0.1/a",
            "http://169.254.169.254/a",
            "http://100.64.0.1/a",
            "http://224.0.0.1/a",
            "http://255.255.255.255/a",
            "http://１２７.０.０.１/a",
            "http://[::1]/a",
            "http://[::]/a",
            "http://[::ffff:127.0.0.1]/a",
            "http://[::127.0.0.1]/a",
            "http://[fe80::1]/a",
            "http://[fd00::1]/a",
            "http://[64:ff9b::a00:1]/a",
            "http://[2002:7f00:1::]/a",
            "http://[ff02::1]/a",
            "http://[fec0::1]/a",
        ] {
            assert_eq!(
                WebUrl::parse_public(private),
                Err(FieldError::PrivateHost),
                "{private}"
            );
            assert!(
                WebUrl::parse(private).is_ok(),
                "{private}: stored ones stay readable"
            );
        }
        for public in [
            "https://example.org/a",
            "https://bücher.example/a",
            "http://8.8.8.8/a",
            "http://172.32.0.1/a",
            "http://[2606:4700::1111]/a",
            "https://localhost.example.org/a",
            "https://example.org./a",
        ] {
            assert!(WebUrl::parse_public(public).is_ok(), "{public}");
        }
    }

    #[test]
    fn web_urls_are_http_only() {
        assert_eq!(
            WebUrl::parse("https://example.org").unwrap().as_str(),
            "https://example.org/"
        );
        for bad in [
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://example.org/x",
            "file:///etc/passwd",
            "//example.org",
            "example.org",
            "ftp://example.org",
            "https://",
            "https://ann@example.org",
            "https://ann:secret@example.org",
            "https://:secret@example.org",
            "",
        ] {
            assert_eq!(WebUrl::parse(bad), Err(FieldError::InvalidUrl), "{bad:?}");
        }
        for bad in [
            "java\nscript:alert(1)",
            "https://example.org/\u{202e}gpj",
            "https://exam\u{0}ple.org",
        ] {
            assert_eq!(
                WebUrl::parse(bad),
                Err(FieldError::ControlCharacters),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn labels_have_no_control_characters() {
        assert_eq!(Label::parse("  Ann  ").unwrap().as_str(), "Ann");
        assert_eq!(Label::parse(" "), Err(FieldError::TooShort { min: 1 }));
        for bad in [
            "a\u{1b}[31m",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{202a}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{2069}b",
        ] {
            assert_eq!(
                Label::parse(bad),
                Err(FieldError::ControlCharacters),
                "{bad:?}"
            );
        }
        // Marks that right-to-left scripts and emoji need.
        for good in ["שלום\u{200f}", "👩\u{200d}🚀"] {
            assert!(Label::parse(good).is_ok(), "{good:?}");
        }
        assert_eq!(Label::lossy("a\u{202e}b").unwrap().as_str(), "ab");
        assert_eq!(
            Label::parse(&"x".repeat(101)),
            Err(FieldError::TooLong { max: 100 })
        );
        assert_eq!(
            Label::lossy(&format!("a\u{0}{}", "x".repeat(200)))
                .unwrap()
                .as_str()
                .len(),
            100
        );
    }
}
