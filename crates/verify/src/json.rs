//! Strict JSON: no object names a member twice, at any depth (RFC 8725 §3.1 asks for one meaning per token; RFC 7515 §4 lets
//! duplicates be refused). Everything else that RFC 8259 forbids, the parser refuses itself, and it stops at 128 levels.

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, collections::BTreeSet, fmt};

/// Parses a text that has no member twice.
pub(crate) fn parse<'t, T: Deserialize<'t>>(text: &'t [u8]) -> Result<T, serde_json::Error> {
    let _: Unambiguous = serde_json::from_slice(text)?;
    serde_json::from_slice(text)
}

/// The names that are compared one by one, which is faster than a tree; more names than this go into the tree.
const FEW: usize = 12;

/// Any value, checked and dropped.
struct Unambiguous;

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'t> Deserialize<'t> for Unambiguous {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'t> Visitor<'t> for Walk {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut array: A) -> Result<Unambiguous, A::Error> {
        while array.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_map<A: MapAccess<'t>>(self, mut object: A) -> Result<Unambiguous, A::Error> {
        let (mut few, mut more) = (Vec::with_capacity(FEW), BTreeSet::new());
        while let Some(name) = object.next_key::<Name<'t>>()? {
            if few.contains(&name) || more.contains(&name) {
                return Err(de::Error::custom("a member is there twice"));
            }
            if few.len() < FEW {
                few.push(name);
            } else {
                more.insert(name);
            }
            object.next_value::<Unambiguous>()?;
        }
        Ok(Unambiguous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_member_twice_is_refused_at_any_depth_and_however_it_is_spelled() {
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#,
            r#"{"":0,"":0}"#,
        ] {
            assert!(parse::<Value>(bad.as_bytes()).is_err(), "{bad}");
        }
        for good in [
            r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#,
            "[1,-1,1.5,true,null,\"\"]",
        ] {
            parse::<Value>(good.as_bytes()).unwrap();
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for bad in [
            "",
            "{",
            "{}{}",
            "\u{feff}{}",
            "{'a':1}",
            r#"{"a":1,}"#,
            "NaN",
            "1e999",
            r#"{"\ud800":1}"#,
            &deep,
        ] {
            assert!(parse::<Value>(bad.as_bytes()).is_err(), "{bad:.20}");
        }
        assert!(parse::<Value>(b"{\"a\":\"\xff\"}").is_err());
    }
}
