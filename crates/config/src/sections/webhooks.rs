//! `[webhooks]`: where events are sent, and how patiently.

use super::{Rule, http::networks, journal::Journal};
use crate::Human;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[webhooks]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Networks or addresses that are not public, such as `10.1.0.0/16`, whose endpoints events may be sent to, also by http; none by default.
    /// Who may make webhooks can have the service connect to whatever is there.
    #[serde(deserialize_with = "networks")]
    #[schemars(with = "Vec<String>")]
    pub allow_private: Vec<IpNet>,
    /// Certificates in PEM of the authorities that the endpoints' certificates may come from; those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Longest time for one event, connecting included, 1 s to 1 min; 10 s.
    #[serde(with = "Human")]
    pub timeout: Duration,
    /// How long an event that was not taken is tried again, 1 min to 30 days, and no longer than `journal.retention`; 3 days.
    #[serde(with = "Human")]
    pub max_age: Duration,
    /// A webhook that takes nothing for so long is switched off, at least 1 min, and an hour less than `max_age`; 1 day.
    #[serde(with = "Human")]
    pub disable_after: Duration,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            allow_private: Vec::new(),
            ca_file: None,
            timeout: Duration::from_secs(10),
            max_age: Duration::from_hours(3 * 24),
            disable_after: Duration::from_hours(24),
        }
    }
}

impl Webhooks {
    /// What types alone can't say.
    pub(crate) fn rules(&self, journal: &Journal) -> Vec<Rule> {
        let minute = Duration::from_mins(1);
        // Attempts are up to an hour apart.
        let switched_off = self.disable_after.saturating_add(Duration::from_hours(1));
        vec![
            (
                (Duration::from_secs(1)..=minute).contains(&self.timeout),
                "webhooks.timeout: must be from 1 s to 1 min",
            ),
            (
                (minute..=Duration::from_hours(30 * 24)).contains(&self.max_age),
                "webhooks.max_age: must be from 1 min to 30 days",
            ),
            (
                self.disable_after >= minute,
                "webhooks.disable_after: must be at least 1 min",
            ),
            (
                switched_off <= self.max_age,
                "webhooks.disable_after: must be at least 1 h less than webhooks.max_age, or no webhook is ever switched off",
            ),
            (
                self.max_age <= journal.retention,
                "webhooks.max_age: must be at most journal.retention: an event is sent as the journal has it",
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn what_is_out_of_bounds_is_named() {
        for (line, key) in [
            ("timeout = '2m'", "webhooks.timeout"),
            ("max_age = '1s'", "webhooks.max_age"),
            ("disable_after = '1s'", "webhooks.disable_after"),
            ("disable_after = '71h 1m'", "webhooks.disable_after"),
            ("max_age = '1day'", "webhooks.disable_after"),
            (
                "max_age = '25h'\n[journal]\nretention = '24h'",
                "webhooks.max_age",
            ),
            ("allow_private = ['10.0.0.0/33']", "webhooks.allow_private"),
        ] {
            let error = Config::from_toml(&format!("[webhooks]\n{line}\n")).unwrap_err();
            assert!(error.to_string().contains(key), "{line}: {error}");
        }
        for line in [
            "disable_after = '71h'",
            "max_age = '25h'\n[journal]\nretention = '25h'",
        ] {
            Config::from_toml(&format!("[webhooks]\n{line}\n")).unwrap();
        }
        let networks =
            "webhooks.allow_private = ['10.1.2.3/16', '127.0.0.1', '::ffff:10.9.0.0/112']";
        let config = Config::from_toml(networks).unwrap();
        let networks = config
            .webhooks
            .allow_private
            .iter()
            .map(ToString::to_string);
        assert_eq!(
            networks.collect::<Vec<_>>(),
            ["10.1.0.0/16", "127.0.0.1/32", "10.9.0.0/16"]
        );
    }
}
