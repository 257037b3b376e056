//! How values are written that Rust's own types don't say: durations with their unit, and secrets. Both are named in the
//! attributes of a key: `#[serde(with = "Human")]` for a `Duration`, `#[serde(with = "HumanOption")]` for an optional one,
//! `#[schemars(with = "Hidden")]` for a secret.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serialize, Serializer};
use std::{borrow::Cow, time::Duration};

/// A duration as people write it: `"15m"`, `"3days"`.
pub struct Human;

/// A duration that need not be there.
pub struct HumanOption;

/// A text that is never shown.
pub struct Hidden;

/// What the schema calls the kind of a key that has more to it than its type.
pub(crate) const KIND: &str = "x-kind";
/// [`KIND`] of a duration.
pub(crate) const DURATION: &str = "duration";

impl Human {
    /// As serde wants it.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        humantime_serde::deserialize(deserializer)
    }

    /// In the largest unit that leaves no rest.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&text(*duration))
    }
}

impl HumanOption {
    /// As serde wants it.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        humantime_serde::option::deserialize(deserializer)
    }

    /// Nothing, or in the largest unit that leaves no rest.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(text).serialize(serializer)
    }
}

/// `90days`, not `2months 29days 2h 52m 48s`.
pub(crate) fn text(duration: Duration) -> String {
    const UNITS: [(u128, &str); 7] = [
        (86_400_000_000_000, "days"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let nanos = duration.as_nanos();
    let fits = |(unit, name): &&(u128, &str)| {
        nanos.is_multiple_of(*unit) && (*name != "days" || nanos / unit >= 2)
    };
    match UNITS.iter().find(fits) {
        Some((unit, name)) if nanos > 0 => format!("{}{name}", nanos / unit),
        _ => "0s".to_owned(),
    }
}

impl JsonSchema for Human {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", KIND: DURATION, "pattern": "^ *[0-9]+ *[a-zA-Z]*( *[0-9]+ *[a-zA-Z]+)* *$" })
    }
}

impl JsonSchema for HumanOption {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Human::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Human::json_schema(generator)
    }
}

impl JsonSchema for Hidden {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_in_one_unit_and_read_back() {
        for (duration, written) in [
            (Duration::from_hours(90 * 24), "90days"),
            (Duration::from_hours(24), "24h"),
            (Duration::from_mins(15), "15m"),
            (Duration::from_secs(90), "90s"),
            (Duration::from_millis(500), "500ms"),
            (Duration::from_nanos(1_500), "1500ns"),
            (Duration::ZERO, "0s"),
        ] {
            assert_eq!(text(duration), written);
            assert_eq!(humantime::parse_duration(written).unwrap(), duration);
        }
    }
}
