//! The colour of buttons and links: one that can be read on white, and what it is in the dark.

use std::{fmt, str::FromStr};

/// The least contrast of text to what is behind it (WCAG 2.2, 1.4.3).
const LEAST: f64 = 4.5;
/// That of the lighter shade in the dark, which has to stand out from text, too.
const LEAST_IN_THE_DARK: f64 = 6.0;
const WHITE: Colour = Colour([255; 3]);
const BLACK: Colour = Colour([0; 3]);
/// What is behind links in the dark: `--card` of the stylesheet.
const DARK: Colour = Colour([0x17, 0x1b, 0x22]);
/// How much a shade differs from the next one, in hundredths.
const STEP: u16 = 4;
/// The same for a button under the mouse.
const HOVER: u16 = 15;

/// A colour that text has, and that is behind white text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent(Colour);

/// Red, green and blue (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour([u8; 3]);

/// Why a text is no accent.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum AccentError {
    /// It is not written as `#rrggbb`.
    #[error("must be a colour such as #1d4ed8")]
    NoColour,
    /// It can hardly be read on white.
    #[error(
        "has a contrast of {0:.2}:1 to white, and buttons and links need {LEAST}:1 (WCAG 2.2, 1.4.3): choose a darker colour"
    )]
    TooPale(f64),
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Accent {
    type Err = AccentError;

    fn from_str(text: &str) -> Result<Self, AccentError> {
        let colour = Colour::parse(text).ok_or(AccentError::NoColour)?;
        let contrast = colour.contrast(WHITE);
        if contrast < LEAST {
            // As it is said, it is less.
            return Err(AccentError::TooPale((contrast * 100.0).floor() / 100.0));
        }
        Ok(Self(colour))
    }
}

impl Accent {
    /// What the stylesheet says in place of its own colours.
    pub(super) fn style(self) -> String {
        let (light, dark) = (self.0, self.in_the_dark());
        let (hover, dark_hover) = (light.mixed(BLACK, HOVER), dark.mixed(WHITE, HOVER));
        format!(
            ":root{{--accent:{light};--hover:{hover};--on:#fff}}\
             @media(prefers-color-scheme:dark){{:root{{--accent:{dark};--hover:{dark_hover};--on:#0e1116}}}}"
        )
    }

    /// The first lighter shade that can be read there.
    fn in_the_dark(self) -> Colour {
        let mut shades = (0..=100).step_by(usize::from(STEP));
        let shade = shades.find_map(|part| {
            let shade = self.0.mixed(WHITE, part);
            (shade.contrast(DARK) >= LEAST_IN_THE_DARK).then_some(shade)
        });
        shade.unwrap_or(WHITE)
    }
}

impl Colour {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        })?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// With so many hundredths of another one.
    fn mixed(self, other: Self, part: u16) -> Self {
        let mut parts = self.0.iter().zip(other.0).map(|(own, other)| {
            let sum = u16::from(*own) * (100 - part) + u16::from(other) * part;
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        });
        Self(std::array::from_fn(|_| parts.next().unwrap_or_default()))
    }

    /// From 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// From 0 to 1 (WCAG 2.2, "relative luminance").
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_that_can_be_read_is_an_accent() {
        for good in ["#1d4ed8", "#000000", "#767676", "#B42318", "#006400"] {
            assert!(good.parse::<Accent>().is_ok(), "{good}");
        }
        for pale in ["#777777", "#ffcc00", "#ffffff", "#1da1f2"] {
            let error = pale.parse::<Accent>().unwrap_err();
            assert!(matches!(error, AccentError::TooPale(_)), "{pale}: {error}");
        }
        for bad in [
            "", "1d4ed8", "#1d4ed", "#1d4ed80", "#1d4edg", "blue", "#é4ed8", "#+d4ed8",
        ] {
            assert_eq!(bad.parse::<Accent>(), Err(AccentError::NoColour), "{bad}");
        }
        let said = "#777777".parse::<Accent>().unwrap_err().to_string();
        assert!(said.contains("4.47:1") && said.contains("4.5:1"), "{said}");
    }

    #[test]
    fn in_the_dark_it_is_as_light_as_it_must_be() {
        for accent in ["#1d4ed8", "#000000", "#767676", "#b42318", "#0000ff"] {
            let accent: Accent = accent.parse().unwrap();
            let dark = accent.in_the_dark();
            assert!(
                dark.contrast(DARK) >= LEAST_IN_THE_DARK,
                "{accent:?} {dark}"
            );
            assert!(dark.contrast(Colour([0x0e, 0x11, 0x16])) >= LEAST);
        }
        let style = "#006400".parse::<Accent>().unwrap().style();
        assert!(
            style.starts_with(":root{--accent:#006400;--hover:#005500;--on:#fff}"),
            "{style}"
        );
    }
}
