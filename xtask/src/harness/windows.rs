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
}

impl Windows {
    /// Short ones for our own instances, since tests wait for them to pass.
    pub(crate) const SHORT: Self = Self {
        retry_free: Duration::from_millis(300),
        retry_window: Duration::from_millis(1200),
        bound_retry_window: Duration::from_millis(2500),
        late_retries: 3,
    };

    /// How long after a rotation its response can be requested again.
    pub(crate) fn window(&self, bound: bool) -> Duration {
        let late = if bound {
            self.bound_retry_window
        } else {
            self.retry_window
        };
        late.max(self.retry_free)
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
}

impl WindowArgs {
    /// These, and those of `base` that are not given.
    pub(crate) fn over(&self, base: Windows) -> Windows {
        Windows {
            retry_free: self.retry_free.unwrap_or(base.retry_free),
            retry_window: self.retry_window.unwrap_or(base.retry_window),
            bound_retry_window: self.bound_retry_window.unwrap_or(base.bound_retry_window),
            late_retries: self.late_retries.unwrap_or(base.late_retries),
        }
    }
}
