//! `[limits]`: how often passwords may be guessed, accounts made and tokens refreshed.

use super::Rule;
use revolve_domain::{
    limits::{Limit, LimitPolicy, RateError},
    limits_table,
};
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

macro_rules! section {
    ($(
        $(#[$group_doc:meta])*
        $group:ident {$(
            $(#[$doc:meta])*
            $field:ident: $name:ident = $burst:literal in $seconds:literal { $($buckets:tt)+ }
        )+}
    )+) => {
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
            $($(
                $(#[$doc])*
                #[schemars(extend("x-reload" = true))]
                pub $field: RateSetting,
            )+)+
            /// The leading bits of an IPv6 address that count as one address; 64. From 32 to 128.
            #[schemars(extend("x-reload" = true))]
            pub ipv6_prefix: u8,
        }

        impl Default for Limits {
            fn default() -> Self {
                let policy = LimitPolicy::default();
                Self {
                    enabled: true,
                    $($($field: RateSetting(policy.$field),)+)+
                    ipv6_prefix: policy.ipv6_prefix,
                }
            }
        }

        impl Limits {
            /// The rates that the domain needs.
            pub fn policy(&self) -> LimitPolicy {
                if !self.enabled {
                    return LimitPolicy::OFF;
                }
                LimitPolicy {
                    $($($field: self.$field.0,)+)+
                    ipv6_prefix: self.ipv6_prefix,
                }
            }
        }
    };
}

limits_table!(section);

impl Limits {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![(
            (32..=128).contains(&self.ipv6_prefix),
            "limits.ipv6_prefix: must be from 32 to 128",
        )]
    }
}
