//! Rates: a number of times within a window.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

/// A bucket of `burst` that fills evenly within `window`: `burst` at once, and as many again in each `window` after that.
///
/// Its text form is `"10/15m"`: a number from 1 to 1,000,000 and a time from one second to a day, in `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    burst: NonZeroU32,
    window: Duration,
}

/// Not a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rate looks like \"10/15m\": how many (1 to 1000000), and in which time (1s to 1d); or it is \"off\""
)]
pub struct RateError;

impl Rate {
    /// The largest burst.
    pub const MAX_BURST: u32 = 1_000_000;
    /// The longest window.
    pub const MAX_WINDOW: Duration = Duration::from_hours(24);

    /// `burst` within `window`.
    ///
    /// # Errors
    /// [`RateError`] if either is out of its range.
    pub fn new(burst: u32, window: Duration) -> Result<Self, RateError> {
        let burst = NonZeroU32::new(burst)
            .filter(|burst| burst.get() <= Self::MAX_BURST)
            .ok_or(RateError)?;
        if window < Duration::from_secs(1) || window > Self::MAX_WINDOW {
            Err(RateError)
        } else {
            Ok(Self { burst, window })
        }
    }

    /// A rate of the table of limits, whose numbers are in range.
    pub(super) const fn of(burst: u32, seconds: u64) -> Self {
        let burst = match NonZeroU32::new(burst) {
            Some(burst) => burst,
            None => NonZeroU32::MIN,
        };
        Self {
            burst,
            window: Duration::from_secs(seconds),
        }
    }

    /// The number that can be taken from a full bucket at once.
    pub const fn burst(self) -> u32 {
        self.burst.get()
    }

    /// The time in which an empty bucket fills.
    pub const fn window(self) -> Duration {
        self.window
    }

    /// The microseconds in which one comes back; at least 1.
    pub fn interval(self) -> i64 {
        let window = i64::try_from(self.window.as_micros()).unwrap_or(i64::MAX);
        (window / i64::from(self.burst.get())).max(1)
    }

    /// The microseconds in which an empty bucket fills: the window but for rounding.
    pub fn depth(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.burst.get()))
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (burst, window) = text.split_once('/').ok_or(RateError)?;
        let (number, unit) = window
            .split_at_checked(window.len().saturating_sub(1))
            .ok_or(RateError)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return Err(RateError),
        };
        let digits = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| text.parse().ok())
                .flatten()
                .ok_or(RateError)
        };
        // The number may be left out: `1/m`.
        let number: u32 = if number.is_empty() {
            1
        } else {
            digits(number)?
        };
        Self::new(
            digits(burst)?,
            Duration::from_secs(u64::from(number).saturating_mul(seconds)),
        )
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.window.as_secs();
        let unit = [(24 * 3600, 'd'), (3600, 'h'), (60, 'm')]
            .into_iter()
            .find(|(unit, _)| seconds.is_multiple_of(*unit));
        let (unit, letter) = unit.unwrap_or((1, 's'));
        write!(f, "{}/{}{letter}", self.burst, seconds / unit)
    }
}

/// A rate, or none. Its text form is that of [`Rate`], or `"off"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Without limit.
    Off,
    /// This rate.
    At(Rate),
}

impl Limit {
    /// The rate, if there is one.
    pub const fn rate(self) -> Option<Rate> {
        match self {
            Self::Off => None,
            Self::At(rate) => Some(rate),
        }
    }
}

impl FromStr for Limit {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        if text == "off" {
            Ok(Self::Off)
        } else {
            text.parse().map(Self::At)
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(rate) => fmt::Display::fmt(rate, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for (text, burst, seconds) in [
            ("10/15m", 10, 900),
            ("1/1s", 1, 1),
            ("1000000/1d", 1_000_000, 86_400),
            ("60/1h", 60, 3600),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(
                (rate.burst(), rate.window()),
                (burst, Duration::from_secs(seconds)),
                "{text}"
            );
            assert_eq!(rate.to_string(), text);
        }
        assert_eq!("5/m".parse::<Rate>().unwrap().to_string(), "5/1m");
        assert_eq!("5/90s".parse::<Rate>().unwrap().to_string(), "5/90s");
        assert_eq!("off".parse(), Ok(Limit::Off));
        assert_eq!("5/1m".parse::<Limit>().unwrap().to_string(), "5/1m");
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            "/",
            "10",
            "10/",
            "0/1m",
            "1/0s",
            "-1/1m",
            "+1/1m",
            "1/2d",
            "1000001/1d",
            "1/1x",
            "1/1ms",
            "1/1é",
            " 1/1m",
            "1/1m ",
            "1/m/m",
        ] {
            assert_eq!(text.parse::<Rate>(), Err(RateError), "{text:?}");
        }
    }

    #[test]
    fn the_depth_is_the_window_but_for_rounding() {
        let rate = Rate::new(7, Duration::from_mins(1)).unwrap();
        assert_eq!((rate.interval(), rate.depth()), (8_571_428, 59_999_996));
        let steep = Rate::new(Rate::MAX_BURST, Duration::from_secs(1)).unwrap();
        assert_eq!((steep.interval(), steep.depth()), (1, 1_000_000));
    }
}
