//! The language of a person.

use super::FieldError;
use std::{fmt, str::FromStr};

/// A language tag (RFC 5646) of at most 35 characters in its usual form: the language in lower case, a script in title case, a region in
/// upper case, such as `de`, `de-CH` or `zh-Hant-TW`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Locale(String);

/// A text is no language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a language tag such as \"en\" or \"de-CH\", of at most 35 characters")]
pub struct LocaleError;

impl Locale {
    /// The most characters of a tag (RFC 5646 §4.4.1).
    pub const MAX_LEN: usize = 35;

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone, without script and region.
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

impl FromStr for Locale {
    type Err = LocaleError;

    fn from_str(text: &str) -> Result<Self, LocaleError> {
        if text.len() > Self::MAX_LEN {
            return Err(LocaleError);
        }
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        if !(2..=8).contains(&language.len()) || !language.bytes().all(|b| b.is_ascii_alphabetic())
        {
            return Err(LocaleError);
        }
        let mut tag = language.to_ascii_lowercase();
        for part in parts {
            if !(1..=8).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(LocaleError);
            }
            tag.push('-');
            tag.push_str(&usual_case(part));
        }
        Ok(Self(tag))
    }
}

/// RFC 5646 §2.1.1.
fn usual_case(part: &str) -> String {
    match part.len() {
        2 => part.to_ascii_uppercase(),
        4 if part.bytes().all(|b| b.is_ascii_alphabetic()) => {
            part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase()
        }
        _ => part.to_ascii_lowercase(),
    }
}

impl From<LocaleError> for FieldError {
    fn from(_: LocaleError) -> Self {
        Self::InvalidLocale
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_gets_its_usual_form() {
        for (typed, usual) in [
            ("DE", "de"),
            ("de-ch", "de-CH"),
            ("ZH-hANT-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
        ] {
            let locale: Locale = typed.parse().unwrap();
            assert_eq!(locale.as_str(), usual);
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let long = ["a".repeat(8).as_str(); 5].join("-");
        for text in [
            "",
            "d",
            "de_CH",
            "de-",
            "-de",
            "d3",
            "de-switzerland",
            &long,
        ] {
            assert_eq!(text.parse::<Locale>(), Err(LocaleError), "{text}");
        }
    }

    #[test]
    fn the_language_is_the_first_part() {
        let locale: Locale = "de-CH".parse().unwrap();
        assert_eq!(locale.language(), "de");
    }
}
