//! `[limits]`: how often passwords may be guessed, accounts made and tokens refreshed.

use super::Rule;
use revolve_domain::limits::{Limit, LimitPolicy, RateError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{borrow::Cow, fmt};

/// A rate in the configuration: `"10/15m"`, or `"off"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RateSetting(Limit);

impl From<Limit> for RateSetting {
    fn from(limit: Limit) -> Self {
        Self(limit)
    }
}

impl RateSetting {
    /// The rate, or none.
    pub fn limit(self) -> Limit {
        self.0
    }
}

impl fmt::Debug for RateSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for RateSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map(Self)
            .map_err(|error: RateError| D::Error::custom(error))
    }
}

impl Serialize for RateSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for RateSetting {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(off|[0-9]+/[0-9]*[smhd])$" })
    }
}

/// `[limits]`
///
/// A rate is written `"10/15m"`: ten at once, and ten more within each 15 minutes after that, one every 90 seconds. The number
/// is at most 1000000, the time from `1s` to `1d` in `s`, `m`, `h` or `d`. `"off"` is no limit.
///
/// What is refused gets a 429 with `Retry-After`. Only wrong passwords count against the limits of passwords: signing in costs
/// nothing. Behind a proxy set `http.trusted_proxies`, or all clients have the proxy's address and share its limits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Whether anything is limited; true. Only for tests and benchmarks, or if something before the service does it.
    #[schemars(extend("x-reload" = true))]
    pub enabled: bool,
    /// Wrong passwords typed for one account by strangers, all of them together and wherever they are; "10/15m". Slows an
    /// attack on one account from many addresses. Devices that the user has signed in on within a year are no strangers.
    #[schemars(extend("x-reload" = true))]
    pub password_per_account: RateSetting,
    /// Wrong passwords typed by strangers from one address, for whichever account; "60/10m". Slows an attack on many accounts
    /// from one address; must bear the mistakes of an office behind one address.
    #[schemars(extend("x-reload" = true))]
    pub password_per_address: RateSetting,
    /// Wrong passwords typed on one device that the user has signed in on, or as the current password in one session;
    /// "10/15m". It is the owner's own: nobody else can use it up. When it is, strangers' limits apply.
    #[schemars(extend("x-reload" = true))]
    pub password_per_device: RateSetting,
    /// Sign-ups with one e-mail address, successful ones and those of a taken address; "10/1h".
    #[schemars(extend("x-reload" = true))]
    pub sign_up_per_account: RateSetting,
    /// Sign-ups from one address, the same; "60/1h". Slows those who ask which e-mail addresses have an account.
    #[schemars(extend("x-reload" = true))]
    pub sign_up_per_address: RateSetting,
    /// Refreshes of one session, counted in each replica by itself; "120/1m". Whoever is refused keeps the token.
    #[schemars(extend("x-reload" = true))]
    pub refresh_per_session: RateSetting,
    /// Refreshes from one address with tokens that are none of ours, counted in each replica by itself; "1200/1m".
    #[schemars(extend("x-reload" = true))]
    pub refresh_per_address: RateSetting,
    /// So many leading bits of an IPv6 address stand for one address; 64. From 32 to 128.
    #[schemars(extend("x-reload" = true))]
    pub ipv6_prefix: u8,
}

impl Default for Limits {
    fn default() -> Self {
        let policy = LimitPolicy::default();
        Self {
            enabled: true,
            password_per_account: RateSetting(policy.password_per_account),
            password_per_address: RateSetting(policy.password_per_address),
            password_per_device: RateSetting(policy.password_per_device),
            sign_up_per_account: RateSetting(policy.sign_up_per_account),
            sign_up_per_address: RateSetting(policy.sign_up_per_address),
            refresh_per_session: RateSetting(policy.refresh_per_session),
            refresh_per_address: RateSetting(policy.refresh_per_address),
            ipv6_prefix: policy.ipv6_prefix,
        }
    }
}

impl Limits {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![(
            (32..=128).contains(&self.ipv6_prefix),
            "limits.ipv6_prefix: must be from 32 to 128",
        )]
    }

    /// The rates that the domain needs.
    pub fn policy(&self) -> LimitPolicy {
        if !self.enabled {
            return LimitPolicy::OFF;
        }
        LimitPolicy {
            password_per_account: self.password_per_account.0,
            password_per_address: self.password_per_address.0,
            password_per_device: self.password_per_device.0,
            sign_up_per_account: self.sign_up_per_account.0,
            sign_up_per_address: self.sign_up_per_address.0,
            refresh_per_session: self.refresh_per_session.0,
            refresh_per_address: self.refresh_per_address.0,
            ipv6_prefix: self.ipv6_prefix,
        }
    }
}
