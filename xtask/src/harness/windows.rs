//! The windows for retries that the service under attack is said to keep, and how the kit measures a moment against them.

use std::time::Duration;

use serde::Deserialize;

/// The kit stays so far away from the edge of a window.
pub(crate) const MARGIN: Duration = Duration::from_millis(60);

/// What the service promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Windows {
    /// For so long after a rotation a retry is free.
    #[serde(with = "humantime_serde")]
    pub(crate) retry_free: Duration,
    /// Later, and up to here, it is a late retry.
    #[serde(with = "humantime_serde")]
    pub(crate) retry_window: Duration,
    /// The same for a session that is bound to its device.
    #[serde(with = "humantime_serde")]
    pub(crate) bound_retry_window: Duration,
    /// So many generations in a row may be retried late.
    pub(crate) late_retries: u32,
}

impl Windows {
    /// Short ones for instances of our own, so that real time suffices.
    pub(crate) const SHORT: Self = Self {
        retry_free: Duration::from_millis(300),
        retry_window: Duration::from_millis(1200),
        bound_retry_window: Duration::from_millis(2500),
        late_retries: 3,
    };

    /// How long after a rotation its answer can be fetched again at all.
    pub(crate) fn window(&self, bound: bool) -> Duration {
        let late = if bound {
            self.bound_retry_window
        } else {
            self.retry_window
        };
        late.max(self.retry_free)
    }

    /// Whether an answer that old proves nothing: the window may have passed while the request was on its way. Without a window every
    /// refused retry is a loss.
    pub(crate) fn may_have_passed(&self, bound: bool, age: Duration) -> bool {
        let window = self.window(bound);
        !window.is_zero() && age >= window
    }

    /// Whether there is room for a late retry.
    pub(crate) fn has_late(&self, bound: bool) -> bool {
        self.late_retries > 0 && self.window(bound) > self.retry_free + 4 * MARGIN
    }
}

/// What the command line says of them; the rest comes from the profile.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct WindowArgs {
    /// For so long after a rotation a retry is free
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    retry_free: Option<Duration>,
    /// Later, and up to here, a retry is late
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    retry_window: Option<Duration>,
    /// The same for a session that is bound to its device
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    bound_retry_window: Option<Duration>,
    /// So many generations in a row may be retried late
    #[arg(long, value_name = "N")]
    late_retries: Option<u32>,
}

impl WindowArgs {
    /// These over those.
    pub(crate) fn over(&self, base: Windows) -> Windows {
        Windows {
            retry_free: self.retry_free.unwrap_or(base.retry_free),
            retry_window: self.retry_window.unwrap_or(base.retry_window),
            bound_retry_window: self.bound_retry_window.unwrap_or(base.bound_retry_window),
            late_retries: self.late_retries.unwrap_or(base.late_retries),
        }
    }
}
