//! A value before its type is known, and its way into the types of the configuration. Messages about a failure name
//! kinds, never the value.

use super::super::document::Kind;
use serde::{
    Deserializer,
    de::{
        self, Expected, IntoDeserializer, Unexpected, Visitor, value::MapDeserializer,
        value::SeqDeserializer,
    },
    forward_to_deserialize_any,
};
use std::{collections::BTreeMap, fmt};
use toml::de::{DeTable, DeValue};

/// A value as it was written.
#[derive(Clone)]
pub(crate) enum Value {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Table(BTreeMap<String, Self>),
}

impl Value {
    /// From TOML. A number that is too large for any key becomes a float, which no key takes for a whole number.
    pub(crate) fn from_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.clone().into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Float(f64::INFINITY), Self::Integer),
            DeValue::Float(number) => Self::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Self::Boolean(*value),
            DeValue::Datetime(at) => Self::Text(at.to_string()),
            DeValue::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| Self::from_toml(item.get_ref()))
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(
                table
                    .iter()
                    .map(|(name, value)| {
                        (name.get_ref().to_string(), Self::from_toml(value.get_ref()))
                    })
                    .collect(),
            ),
        }
    }

    /// From a variable of the environment, which is text: the key's kind says what it stands for. A list is written as in
    /// TOML, or with commas.
    pub(crate) fn from_variable(text: &str, kind: &Kind) -> Self {
        let text = text.trim();
        let plain = || Self::Text(text.to_owned());
        match kind {
            Kind::Boolean => text.parse().map_or_else(|_| plain(), Self::Boolean),
            Kind::Integer { .. } => text.parse().map_or_else(|_| plain(), Self::Integer),
            Kind::Number => text.parse().map_or_else(|_| plain(), Self::Float),
            Kind::List if !text.starts_with('[') => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                Self::List(items.map(|item| Self::Text(item.to_owned())).collect())
            }
            Kind::List | Kind::Map => Self::inline(text).unwrap_or_else(plain),
            Kind::Text { .. } | Kind::Duration => plain(),
        }
    }

    fn inline(text: &str) -> Option<Self> {
        let document = format!("value = {text}");
        let table = DeTable::parse(&document).ok()?;
        let (_, value) = table
            .get_ref()
            .iter()
            .next()
            .filter(|_| table.get_ref().len() == 1)?;
        Some(Self::from_toml(value.get_ref()))
    }

    /// Puts it where the path says.
    pub(crate) fn put(&mut self, path: &str, value: Self) {
        let mut place = self;
        for name in path.split('.') {
            if !matches!(place, Self::Table(_)) {
                *place = Self::Table(BTreeMap::new());
            }
            let Self::Table(table) = place else { return };
            place = table
                .entry(name.to_owned())
                .or_insert_with(|| Self::Table(BTreeMap::new()));
        }
        *place = value;
    }

    /// `a number`, `a text`, …
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "true or false",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a section",
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Boolean(value) => (*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(value) => value.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Table(table) => table
                .iter()
                .map(|(name, value)| (name.clone(), value.to_json()))
                .collect(),
        }
    }
}

/// Why a value does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ValueError {
    /// Its own words, which may quote the value.
    Words(String),
    /// What was expected.
    Expected(String),
    /// A key that must be there is not.
    Missing(String),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::Missing(key) => write!(f, "`{key}` is missing"),
        }
    }
}

impl std::error::Error for ValueError {}

impl de::Error for ValueError {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::Words(words.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Expected(format!("one of {}", expected.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Expected(format!("keys among {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field.to_owned())
    }
}

impl IntoDeserializer<'_, ValueError> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self {
            Self::Boolean(value) => visitor.visit_bool(value),
            Self::Integer(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::Text(value) => visitor.visit_string(value),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Table(table) => visitor.visit_map(MapDeserializer::new(table.into_iter())),
        }
    }

    /// What is not there is not written, either.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self {
            Self::Text(text) => visitor.visit_enum(text.into_deserializer()),
            Self::Table(table) => {
                let table = MapDeserializer::<_, ValueError>::new(table.into_iter());
                de::value::MapAccessDeserializer::new(table)
                    .deserialize_enum(name, variants, visitor)
            }
            _ => Err(ValueError::Expected(format!(
                "one of {}",
                variants.join(", ")
            ))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
