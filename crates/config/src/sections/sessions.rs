//! `[sessions]`: how long sessions live, how many there may be, and the windows for retries.

use super::Rule;
use crate::{Config, Human};
use revolve_domain::{
    policy::SessionPolicy,
    rotation::{RetryPolicy, ReusePolicy},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happens when a refresh token is reused: presented again outside of the retry windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReusePolicyName {
    /// The session ends.
    #[default]
    Revoke,
    /// The token is refused and the session goes on.
    Reject,
}

/// `[sessions]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Life of a session since its sign-in; 90 days.
    #[serde(with = "Human")]
    pub lifetime: Duration,
    /// Live sessions a user may have; 10.
    pub max_per_user: usize,
    /// How long after a rotation retries are free; 10 s.
    #[serde(with = "Human")]
    pub retry_free: Duration,
    /// How long after a rotation late retries are allowed; 10 min, 0 for none.
    #[serde(with = "Human")]
    pub retry_window: Duration,
    /// The same for a session that is bound to its device; 24 h.
    #[serde(with = "Human")]
    pub bound_retry_window: Duration,
    /// How many generations in a row may be retried late; 3.
    pub late_retries: u32,
    /// `revoke` or `reject`.
    pub reuse_policy: ReusePolicyName,
}

impl Default for Sessions {
    fn default() -> Self {
        let (policy, retry) = (SessionPolicy::default(), RetryPolicy::default());
        Self {
            lifetime: policy.session_lifetime,
            max_per_user: policy.max_per_user,
            retry_free: retry.retry_free,
            retry_window: retry.retry_window,
            bound_retry_window: retry.bound_retry_window,
            late_retries: retry.late_retries,
            reuse_policy: ReusePolicyName::Revoke,
        }
    }
}

impl Sessions {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![
            (
                self.lifetime >= Duration::from_secs(1),
                "sessions.lifetime: must be at least 1s",
            ),
            (
                self.max_per_user >= 1,
                "sessions.max_per_user: must be at least 1",
            ),
        ]
    }
}

impl Config {
    /// The numbers that the domain needs.
    pub fn policy(&self) -> SessionPolicy {
        SessionPolicy {
            id_lifetime: self.tokens.id_lifetime,
            reauthentication_lifetime: self.tokens.reauthentication_lifetime,
            refresh_lifetime: self.tokens.refresh_lifetime,
            session_lifetime: self.sessions.lifetime,
            max_per_user: self.sessions.max_per_user,
            retry: RetryPolicy {
                retry_free: self.sessions.retry_free,
                retry_window: self.sessions.retry_window,
                bound_retry_window: self.sessions.bound_retry_window,
                late_retries: self.sessions.late_retries,
                reuse: match self.sessions.reuse_policy {
                    ReusePolicyName::Revoke => ReusePolicy::Revoke,
                    ReusePolicyName::Reject => ReusePolicy::Reject,
                },
            },
        }
    }
}
