//! What the applications of an operator keep with an account.

use super::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Data of the operator's applications: a JSON object of at most 4 KiB, nested at most 16 deep. Empty for most accounts. Deserializing checks
/// only that it is an object: that is for tokens that this service has signed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppData(Map<String, Value>);

impl AppData {
    /// The greatest length of its text in bytes, without white space.
    pub const MAX: usize = 4096;
    /// How deep arrays and objects may be in each other, the object itself included: a token must be read by every parser of JSON.
    pub const MAX_DEPTH: usize = 16;

    /// Checks an object. In a text that names a member twice the last one counts.
    ///
    /// # Errors
    /// [`FieldError::TooLarge`] or [`FieldError::TooDeep`].
    pub fn new(object: Map<String, Value>) -> Result<Self, FieldError> {
        if 1 + deepest(object.values()) > Self::MAX_DEPTH {
            return Err(FieldError::TooDeep {
                max: Self::MAX_DEPTH,
            });
        }
        let data = Self(object);
        if !data.is_empty() && data.to_json().len() > Self::MAX {
            return Err(FieldError::TooLarge { max: Self::MAX });
        }
        Ok(data)
    }

    /// Checks a value, which must be an object.
    ///
    /// # Errors
    /// [`FieldError::NotAnObject`], and as [`Self::new`].
    pub fn from_value(value: Value) -> Result<Self, FieldError> {
        match value {
            Value::Object(object) => Self::new(object),
            _ => Err(FieldError::NotAnObject),
        }
    }

    /// Parses a text.
    ///
    /// # Errors
    /// As [`Self::from_value`].
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        serde_json::from_str(text)
            .map_err(|_| FieldError::NotAnObject)
            .and_then(Self::from_value)
    }

    /// Parses the text of a store, which was checked before: an account can always be read.
    ///
    /// # Errors
    /// [`FieldError::NotAnObject`].
    pub fn stored(text: &str) -> Result<Self, FieldError> {
        serde_json::from_str(text).map_err(|_| FieldError::NotAnObject)
    }

    /// The members.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As JSON, without white space.
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

/// The data may be personal.
impl std::fmt::Debug for AppData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AppData({} members)", self.0.len())
    }
}

/// How deep arrays and objects are in each other.
fn deepest<'v>(values: impl Iterator<Item = &'v Value>) -> usize {
    let depth = |value: &Value| match value {
        Value::Array(values) => 1 + deepest(values.iter()),
        Value::Object(members) => 1 + deepest(members.values()),
        _ => 0,
    };
    values.map(depth).max().unwrap_or(0)
}

/// A change of app data.
#[derive(Clone, PartialEq, Eq)]
pub enum AppPatch {
    /// This takes the place of all.
    Set(AppData),
    /// A merge patch (RFC 7396): `null` removes a member, an object is merged, any other value takes the place of the former.
    Merge(Map<String, Value>),
}

impl AppPatch {
    /// The data after the change.
    ///
    /// # Errors
    /// As [`AppData::new`].
    pub fn apply(&self, data: &AppData) -> Result<AppData, FieldError> {
        match self {
            Self::Set(data) => Ok(data.clone()),
            Self::Merge(patch) => {
                let mut merged = data.0.clone();
                merge(&mut merged, patch);
                AppData::new(merged)
            }
        }
    }
}

/// The data may be personal.
impl std::fmt::Debug for AppPatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set(…)",
            Self::Merge(_) => "Merge(…)",
        })
    }
}

/// RFC 7396 §2.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(patch) => {
                let mut merged = match target.remove(name) {
                    Some(Value::Object(former)) => former,
                    _ => Map::new(),
                };
                merge(&mut merged, patch);
                target.insert(name.clone(), Value::Object(merged));
            }
            value => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn data(value: Value) -> AppData {
        AppData::from_value(value).unwrap()
    }

    #[test]
    fn it_is_an_object() {
        for bad in ["[]", "null", "1", "\"a\"", "", "{", "{}{}"] {
            assert_eq!(AppData::parse(bad), Err(FieldError::NotAnObject), "{bad}");
        }
        let plan = AppData::parse(r#"{ "plan": "pro", "seats": 5 }"#).unwrap();
        assert_eq!(plan, data(json!({ "seats": 5, "plan": "pro" })));
        assert!(AppData::parse("{}").unwrap().is_empty());
    }

    #[test]
    fn its_text_has_4_kib_at_most() {
        let of_length = |length: usize| {
            let around = r#"{"a":""}"#.len();
            AppData::from_value(json!({ "a": "x".repeat(length - around) }))
        };
        assert_eq!(of_length(AppData::MAX).unwrap().to_json().len(), 4096);
        let refused = Err(FieldError::TooLarge { max: 4096 });
        assert_eq!(of_length(AppData::MAX + 1), refused);
        // It is the bytes that count.
        let umlauts = AppData::from_value(json!({ "a": "ä".repeat(2048) }));
        assert_eq!(umlauts, refused);
    }

    proptest! {
        #[test]
        fn its_numbers_are_the_same_however_often_it_is_parsed(numbers: [f64; 32], whole: [i64; 32]) {
            let before = data(json!({ "numbers": numbers, "whole": whole }));
            let after = AppData::parse(&before.to_json()).unwrap();
            prop_assert_eq!(after.to_json(), before.to_json());
            prop_assert_eq!(&after, &before);
            prop_assert_eq!(AppData::stored(&before.to_json()), Ok(before));
        }
    }

    #[test]
    fn it_is_nested_16_deep_at_most() {
        let nested = |depth: usize| {
            let inner = (1..depth).fold(json!(1), |inner, n| {
                if n % 2 == 0 {
                    json!([inner])
                } else {
                    json!({ "a": inner })
                }
            });
            AppData::from_value(json!({ "a": inner }))
        };
        assert!(nested(AppData::MAX_DEPTH).is_ok());
        let refused = Err(FieldError::TooDeep { max: 16 });
        assert_eq!(nested(AppData::MAX_DEPTH + 1), refused);
    }

    #[test]
    fn a_merge_patch_removes_merges_and_replaces() {
        let before = data(json!({ "plan": "free", "old": 1, "limits": { "seats": 1, "disk": 2 } }));
        let patch = json!({ "plan": ["pro"], "old": null, "limits": { "seats": null, "rate": 3 }, "new": { "a": null } });
        let Value::Object(patch) = patch else {
            unreachable!("it is an object")
        };
        let merged = AppPatch::Merge(patch).apply(&before).unwrap();
        let expected = json!({ "plan": ["pro"], "limits": { "disk": 2, "rate": 3 }, "new": {} });
        assert_eq!(merged, data(expected));
        let set = AppPatch::Set(AppData::default()).apply(&before).unwrap();
        assert!(set.is_empty());
    }

    #[test]
    fn a_merge_can_be_too_much() {
        let before = data(json!({ "a": "x".repeat(4000) }));
        let patch = Map::from_iter([("b".to_owned(), json!("x".repeat(200)))]);
        let refused = Err(FieldError::TooLarge { max: 4096 });
        assert_eq!(AppPatch::Merge(patch).apply(&before), refused);
    }
}
