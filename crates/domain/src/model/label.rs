//! Lines of text for display.

use super::{
    FieldError,
    characters::{is_hidden, is_invisible},
};
use unicode_normalization::UnicodeNormalization;

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

    /// What a passkey is called that neither its user nor its authenticator names.
    pub fn passkey() -> Self {
        Self("Passkey".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

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
