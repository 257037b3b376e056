//! JSON documents: an array of accounts, or an object with one as its member `users`. Keycloak exports several realms as an array of such
//! objects. What else there is in an object is skipped without being kept.

use super::{
    Content, InputError, Record, Sink,
    metered::{Meter, Metered},
    shallow,
};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, io::Read};

/// The member that has the accounts.
const ACCOUNTS: &str = "users";

/// What all parts of the document share.
struct Reading<'a> {
    meter: Meter,
    longest: u64,
    accounts: u64,
    /// The end of what was handed on.
    done: u64,
    sink: Sink<'a>,
    is_refused: bool,
    /// Whether an account is being read.
    is_inside: bool,
}

/// `of_realms`: an array is one of objects that have accounts.
pub(super) fn read(
    reader: Metered<impl Read>,
    of_realms: bool,
    longest: usize,
    sink: Sink<'_>,
) -> Result<(), InputError> {
    let meter = reader.meter();
    let mut reading = Reading {
        meter: meter.clone(),
        longest: longest as u64,
        accounts: 0,
        done: 0,
        sink,
        is_refused: false,
        is_inside: false,
    };
    let mut parser = serde_json::Deserializer::from_reader(reader);
    let document = Document {
        reading: &mut reading,
        of_realms,
    };
    let read = document.deserialize(&mut parser);
    let read = read.and_then(|()| parser.end());
    let Err(error) = read else {
        return Ok(());
    };
    let (accounts, byte) = (reading.accounts, meter.position());
    if reading.is_refused {
        return Ok(());
    }
    Err(if meter.is_exceeded() && reading.is_inside {
        InputError::TooLong {
            number: accounts + 1,
            longest,
        }
    } else if meter.is_exceeded() {
        InputError::Document { byte, accounts }
    } else if error.is_io() {
        InputError::Io(error.into())
    } else if error.is_eof() {
        InputError::Cut {
            unit: "account",
            number: accounts + 1,
            byte: Some(byte),
        }
    } else {
        InputError::Document { byte, accounts }
    })
}

/// The whole, a realm of several, or the array of accounts in an object.
struct Document<'r, 'a> {
    reading: &'r mut Reading<'a>,
    of_realms: bool,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of accounts, or an object with one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let reading = self.reading;
        if self.of_realms {
            while seq.next_element_seed(inner(reading))?.is_some() {}
        } else {
            while seq.next_element_seed(Element(reading))?.is_some() {}
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // A name is kept, and so must end as an account must.
        let next_name = |reading: &Reading<'_>, map: &mut A| {
            reading.meter.allow(Some(reading.longest));
            let name = map.next_key::<String>();
            reading.meter.allow(None);
            name
        };
        while let Some(name) = next_name(self.reading, &mut map)? {
            if name == ACCOUNTS {
                map.next_value_seed(inner(self.reading))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

fn inner<'r, 'a>(reading: &'r mut Reading<'a>) -> Document<'r, 'a> {
    Document {
        reading,
        of_realms: false,
    }
}

/// An account.
struct Element<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let reading = self.0;
        reading.meter.allow(Some(reading.longest));
        reading.is_inside = true;
        let value = shallow::read(deserializer)?;
        reading.is_inside = false;
        reading.meter.allow(None);
        let content = value.map_or(Content::TooDeep, Content::Value);
        reading.hand_on(content).map_err(D::Error::custom)
    }
}

impl Reading<'_> {
    fn hand_on(&mut self, content: Content) -> Result<(), &'static str> {
        self.accounts += 1;
        let position = self.meter.position();
        let record = Record {
            number: self.accounts,
            content,
            bytes: position - self.done,
        };
        self.done = position;
        self.is_refused = !(self.sink)(record);
        if self.is_refused {
            Err("nobody wants more")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the accounts, and how it ended.
    fn read_all(text: &str, of_realms: bool) -> (Vec<String>, Result<(), InputError>) {
        let mut names = Vec::new();
        let mut sink = |record: Record| {
            names.push(match record.content {
                Content::Value(value) => format!("{} {}", record.number, value["n"]),
                _ => panic!("a value"),
            });
            true
        };
        let read = read(Metered::new(text.as_bytes()), of_realms, 40, &mut sink);
        (names, read)
    }

    #[test]
    fn accounts_are_found_in_arrays_and_in_the_member_users() {
        let array = r#"[{"n":1}, {"n":2}]"#;
        let long = "x".repeat(1000);
        let object =
            format!(r#"{{"realm":"{long}","roles":{{"users":[3]}},"users":{array},"z":[]}}"#);
        let realms = format!(r#"[{object}, {{"realm":"b"}}, {{"users":[{{"n":3}}]}}]"#);
        for (text, of_realms, expected) in [
            (array, false, &["1 1", "2 2"][..]),
            (&object, false, &["1 1", "2 2"]),
            (&object, true, &["1 1", "2 2"]),
            (&realms, true, &["1 1", "2 2", "3 3"]),
            ("[]", false, &[]),
        ] {
            let (names, read) = read_all(text, of_realms);
            assert_eq!(names, expected, "{text}");
            assert!(read.is_ok(), "{read:?}");
        }
    }

    #[test]
    fn a_document_that_is_cut_off_says_where() {
        let whole = r#"{"users":[{"n":1}, {"n":2}]}"#;
        for length in 0..whole.len() {
            let (names, read) = read_all(&whole[..length], false);
            let Err(InputError::Cut { number, byte, .. }) = &read else {
                panic!("{length}: {read:?}")
            };
            assert_eq!(*number, names.len() as u64 + 1, "{length}");
            assert_eq!(*byte, Some(length as u64));
            assert_eq!(read.unwrap_err().next(), Some(names.len() as u64 + 1));
        }
        let said = read_all(&whole[..20], false).1.unwrap_err().to_string();
        assert_eq!(said, "it is cut off in account 2, at byte 20");
    }

    #[test]
    fn what_is_no_document_or_too_long_is_told_and_what_came_before_is_kept() {
        for text in ["[{\"n\":1},}", "[{\"n\":1}] x", "{\"users\":5}", "\"text\""] {
            let (_, read) = read_all(text, false);
            assert!(matches!(read, Err(InputError::Document { .. })), "{text}");
        }
        let long = format!(r#"[{{"n":1}},{{"n":"{}"}}]"#, "x".repeat(100));
        let (names, read) = read_all(&long, false);
        assert_eq!(names, ["1 1"]);
        assert!(matches!(read, Err(InputError::TooLong { number: 2, .. })));
    }

    #[test]
    fn an_account_that_is_nested_too_deep_is_passed_over() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let text = format!(r#"{{"z":{deep},"users":[{{"n":1}},{{"n":{deep}}},{{"n":3}}]}}"#);
        let mut names = Vec::new();
        let mut sink = |record: Record| {
            names.push((record.number, matches!(record.content, Content::TooDeep)));
            true
        };
        assert!(read(Metered::new(text.as_bytes()), false, 1000, &mut sink).is_ok());
        assert_eq!(names, [(1, false), (2, true), (3, false)]);
    }

    #[test]
    fn a_name_is_no_longer_than_an_account_may_be() {
        for name in ["x".repeat(20_000), "x".repeat(20_000) + "\":1}"] {
            let text = format!(r#"{{"a":1,"users":[{{"n":1}}],"{name}"#);
            let (names, read) = read_all(&text, false);
            assert_eq!(names, ["1 1"]);
            let Err(InputError::Document { byte, accounts }) = read else {
                panic!("{read:?}")
            };
            assert!(byte < 100 && accounts == 1, "{byte}");
        }
    }

    #[test]
    fn nobody_needs_to_listen_to_the_end() {
        let mut sink = |_: Record| false;
        let text = &b"[{},{},"[..];
        assert!(read(Metered::new(text), false, 40, &mut sink).is_ok());
    }
}
