//! A JSON value that is nested no deeper than an account may be. What is nested deeper is skipped, and so can be whatever a document has: only
//! values that are kept take stack for each level.

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::{cell::Cell, fmt};

/// How deep arrays and objects may be in each other: deeper than in any export, and less than the parser takes, the document around included.
const DEEPEST: usize = 64;

/// Reads a value; `None` if it is nested deeper.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let is_deeper = Cell::new(false);
    let shallow = Shallow {
        left: DEEPEST,
        is_deeper: &is_deeper,
    };
    let value = shallow.deserialize(deserializer)?;
    Ok((!is_deeper.get()).then_some(value))
}

#[derive(Clone, Copy)]
struct Shallow<'c> {
    /// How many levels there may be.
    left: usize,
    is_deeper: &'c Cell<bool>,
}

impl Shallow<'_> {
    /// What is one level further in; `None` if nothing may be.
    fn inner(self) -> Option<Self> {
        let left = self.left.checked_sub(1);
        self.is_deeper.set(self.is_deeper.get() || left.is_none());
        left.map(|left| Self { left, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Shallow<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shallow<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        if let Some(inner) = self.inner() {
            while let Some(value) = seq.next_element_seed(inner)? {
                values.push(value);
            }
        } else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        if let Some(inner) = self.inner() {
            while let Some(name) = map.next_key()? {
                members.insert(name, map.next_value_seed(inner)?);
            }
        } else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        let (open, close) = ("[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
        format!(
            "{open}{}{close}",
            if depth.is_multiple_of(2) { "1" } else { "[]" }
        )
    }

    fn read_text(text: &str) -> Option<Value> {
        read(&mut serde_json::Deserializer::from_str(text)).unwrap()
    }

    #[test]
    fn values_are_read_as_they_are() {
        let text = r#"{"a":[1,-2,2.5,"b",true,null,{},[]],"c":18446744073709551615,"c":"last"}"#;
        assert_eq!(read_text(text), serde_json::from_str(text).unwrap());
    }

    #[test]
    fn what_is_nested_deeper_is_skipped() {
        let deepest = nested(DEEPEST);
        assert_eq!(read_text(&deepest), serde_json::from_str(&deepest).unwrap());
        for depth in [DEEPEST + 1, 129, 100_000] {
            assert_eq!(read_text(&nested(depth)), None, "{depth}");
        }
    }
}
