//! The windows for retries that a service promises, and how a moment is measured against them.

use std::time::Duration;

use serde::Deserialize;

/// Tests stay this far away from the end of a window.
pub(crate) const MARGIN: Duration = Duration::from_millis(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Windows {
    /// How long after a rotation a retry is free.
    #[serde(with = "humantime_serde")]
    pub(crate) retry_free: Duration,
    /// How long after a rotation a late retry is answered.
    #[serde(with = "humantime_serde")]
    pub(crate) retry_window: Duration,
    /// The same for a session that is bound to its device.
    #[serde(with = "humantime_serde")]
    pub(crate) bound_retry_window: Duration,
    /// How many generations in a row may be retried late.
    pub(crate) late_retries: u32,
    /// How long after a rotation its old token must be refused, where that is later than the end of `retry_window`: until then either
    /// answer is right.
    #[serde(with = "humantime_serde", default)]
    pub(crate) refused_after: Option<Duration>,
    /// The same for a session that is bound to its device.
    #[serde(with = "humantime_serde", default)]
    pub(crate) bound_refused_after: Option<Duration>,
}

impl Windows {
    /// Short ones for our own instances, since tests wait for them to pass.
    pub(crate) const SHORT: Self = Self {
        retry_free: Duration::from_millis(300),
        retry_window: Duration::from_millis(1200),
        bound_retry_window: Duration::from_millis(2500),
        late_retries: 3,
        refused_after: None,
        bound_refused_after: None,
    };

    /// How long after a rotation its response can be requested again: the service must answer before.
    pub(crate) fn window(&self, bound: bool) -> Duration {
        let late = if bound {
            self.bound_retry_window
        } else {
            self.retry_window
        };
        late.max(self.retry_free)
    }

    /// How long after a rotation a retry must be refused; never sooner than the end of the window.
    pub(crate) fn refused_after(&self, bound: bool) -> Duration {
        let given = if bound {
            self.bound_refused_after
        } else {
            self.refused_after
        };
        given.unwrap_or_default().max(self.window(bound))
    }

    /// How long after a rotation a replay, which no honest client sends, must be detected: when retries are no longer free, and as much
    /// later as the service takes to end its windows.
    pub(crate) fn detected_after(&self, bound: bool) -> Duration {
        let late = self.refused_after(bound).saturating_sub(self.window(bound));
        self.retry_free + late
    }

    /// Whether a refusal of this age proves nothing, since the window may have passed while the request was on its way. Without a window every
    /// refused retry is a loss.
    pub(crate) fn may_have_passed(&self, bound: bool, age: Duration) -> bool {
        let window = self.window(bound);
        !window.is_zero() && age >= window
    }

    /// Whether there is time for a late retry.
    pub(crate) fn has_late(&self, bound: bool) -> bool {
        self.late_retries > 0 && self.window(bound) > self.retry_free + 4 * MARGIN
    }
}

/// Windows on the command line; the others are those of the profile.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct WindowArgs {
    /// How long after a rotation a retry is free
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    retry_free: Option<Duration>,
    /// How long after a rotation a late retry is answered
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    retry_window: Option<Duration>,
    /// The same for a session that is bound to its device
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    bound_retry_window: Option<Duration>,
    /// How many generations in a row may be retried late
    #[arg(long, value_name = "N")]
    late_retries: Option<u32>,
    /// How long after a rotation a retry must be refused, if that is later than the end of the window
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    refused_after: Option<Duration>,
    /// The same for a session that is bound to its device
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    bound_refused_after: Option<Duration>,
}

impl WindowArgs {
    /// Those that are given, as on the command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let times = [
            ("--retry-free", self.retry_free),
            ("--retry-window", self.retry_window),
            ("--bound-retry-window", self.bound_retry_window),
            ("--refused-after", self.refused_after),
            ("--bound-refused-after", self.bound_refused_after),
        ];
        let time = |time| {
            humantime::format_duration(time)
                .to_string()
                .replace(' ', "")
        };
        let times = times
            .into_iter()
            .filter_map(|(name, value)| Some([name.to_owned(), time(value?)]));
        let late = self
            .late_retries
            .map(|late| ["--late-retries".to_owned(), late.to_string()]);
        times.chain(late).flatten().collect()
    }

    /// These, and those of `base` that are not given.
    pub(crate) fn over(&self, base: Windows) -> Windows {
        Windows {
            retry_free: self.retry_free.unwrap_or(base.retry_free),
            retry_window: self.retry_window.unwrap_or(base.retry_window),
            bound_retry_window: self.bound_retry_window.unwrap_or(base.bound_retry_window),
            late_retries: self.late_retries.unwrap_or(base.late_retries),
            refused_after: self.refused_after.or(base.refused_after),
            bound_refused_after: self.bound_refused_after.or(base.bound_refused_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::args;

    #[test]
    fn between_the_two_settings_of_a_window_either_answer_is_right() {
        let args: WindowArgs =
            args::parse(&["--refused-after", "2s", "--late-retries", "1"]).unwrap();
        let (windows, bound) = (args.over(Windows::SHORT), true);
        let millis = Duration::from_millis;
        assert_eq!(windows.window(!bound), millis(1200));
        assert_eq!(windows.refused_after(!bound), millis(2000));
        assert_eq!(windows.detected_after(!bound), millis(1100));
        // It is never sooner than the end of the window.
        assert_eq!(windows.refused_after(bound), millis(2500));
        assert_eq!(windows.detected_after(bound), windows.retry_free);
        assert_eq!(
            args.words(),
            ["--refused-after", "2s", "--late-retries", "1"]
        );
    }
}
