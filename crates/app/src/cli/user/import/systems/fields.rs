//! The members of an object of another system, whose types nobody vouches for.

use super::{Instant, RowRefusal};
use crate::cli::user::import::input::Content;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Members, which are taken out one by one.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn of(content: Content) -> Result<Self, RowRefusal> {
        let value = match content {
            Content::Value(value) => value,
            Content::Line(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Content::Uneven | Content::TooLong | Content::TooDeep => Value::Null,
        };
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(RowRefusal::new("malformed", "it is not a JSON object")),
        }
    }

    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// A member that is no `null`, and not empty either.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(values) => !values.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        })
    }

    /// Whether there is such a member; it is gone then.
    pub(super) fn had(&mut self, name: &str) -> bool {
        self.take(name).is_some()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether something was not taken.
    pub(super) fn any_left(mut self) -> bool {
        let names: Vec<String> = self.0.keys().cloned().collect();
        names.iter().any(|name| self.had(name))
    }

    pub(super) fn into_members(self) -> Map<String, Value> {
        self.0
    }

    /// A text; a number is one, too, as some exports have their ids.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Of JSON or of a table, where Postgres writes `t` and MySQL and SQLite write `1`.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            Some(Value::Bool(flag)) => flag,
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            Some(Value::String(text)) => {
                matches!(text.to_ascii_lowercase().as_str(), "t" | "true" | "1")
            }
            _ => false,
        }
    }

    /// An object, or the text of one.
    pub(super) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        self.take(name).and_then(members)
    }

    pub(super) fn array(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        }
    }

    /// RFC 3339, Postgres's `2020-01-02 03:04:05.678+00`, or milliseconds since 1970.
    pub(super) fn instant(&mut self, name: &str) -> Option<Instant> {
        let read = match self.take(name)? {
            Value::String(text) => instant(&text),
            Value::Number(number) => number.as_i64().and_then(milliseconds),
            _ => None,
        };
        Some(read.map_or(Instant::Unreadable, Instant::At))
    }
}

/// The members of an object, or of the text of one.
pub(super) fn members(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        Value::String(text) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

pub(super) fn instant(text: &str) -> Option<OffsetDateTime> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return milliseconds(text.parse().ok()?);
    }
    let text = text.trim().replacen(' ', "T", 1);
    // The zone is behind the time, whose part of the text has no other sign.
    let zone = text.get(11..)?.find(['+', '-', 'Z', 'z']).map(|at| at + 11);
    let (time, zone) = text.split_at(zone.unwrap_or(text.len()));
    let zone = match zone.len() {
        // Where a system leaves it out, it means UTC.
        0 | 1 => "Z".to_owned(),
        3 => format!("{zone}:00"),
        5 => format!("{}:{}", zone.get(..3)?, zone.get(3..)?),
        _ => zone.to_owned(),
    };
    OffsetDateTime::parse(&format!("{time}{zone}"), &Rfc3339).ok()
}

fn milliseconds(since_1970: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(since_1970) * 1_000_000).ok()
}

/// Base64 in either alphabet, with padding or without.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_of_all_systems_are_read() {
        let expected = datetime!(2020-01-02 03:04:05.678 UTC);
        for text in [
            "2020-01-02T03:04:05.678Z",
            "2020-01-02 03:04:05.678+00",
            "2020-01-02 04:34:05.678+0130",
            "2020-01-01T22:04:05.678-05:00",
            "2020-01-02T03:04:05.678",
            "1577934245678",
        ] {
            assert_eq!(instant(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2020-01-02",
            "2020-13-02T03:04:05Z",
            "2020-01-02T03:04:05+é",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn flags_are_read_as_databases_write_them() {
        let Value::Object(members) = serde_json::json!({
            "a": true, "b": "t", "c": "True", "d": 1, "e": "1",
            "v": "yes", "w": "f", "x": false, "y": 0, "z": null,
        }) else {
            unreachable!("it is an object")
        };
        let mut fields = Fields::new(members);
        for name in ["a", "b", "c", "d", "e"] {
            assert!(fields.flag(name), "{name}");
        }
        for name in ["v", "w", "x", "y", "z", "none"] {
            assert!(!fields.flag(name), "{name}");
        }
    }
}
