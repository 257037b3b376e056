//! Request bodies: JSON objects of at most 16 KiB, read strictly and checked field by field, so that a client hears of
//! every mistake at once and no half-understood request is carried out. Forms of pages are read alike.

mod read;

pub(crate) use read::{MediaType, form_problems, problems, read};
pub(in crate::kit) use read::{duplicate, incomplete};

use crate::kit::problem::{FieldProblem, Problem};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Bytes};
use read::{malformed, too_deep};
use revolve_domain::model::{AppData, FieldError, Label};
use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
};

/// The members of a request's JSON object that have not been taken yet, and what was wrong with those that were.
pub(crate) struct Body {
    members: BTreeMap<String, Value>,
    errors: Vec<FieldProblem>,
}

impl Body {
    /// The fields of a form.
    pub(crate) fn of_fields(fields: impl Iterator<Item = (String, String)>) -> Self {
        Self {
            members: fields
                .map(|(name, value)| (name, Value::String(value)))
                .collect(),
            errors: Vec::new(),
        }
    }

    /// The same with a member that is an object.
    pub(crate) fn with_object(mut self, field: &str, object: Self) -> Self {
        let object = Value::Object(object.members.into_iter().collect());
        self.members.insert(field.to_owned(), object);
        self
    }

    /// A text that must be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        let text = self.required_text(field)?;
        self.note(field, parse(&text))
    }

    /// A secret that must be there.
    pub(crate) fn secret<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&SecretString) -> Result<T, FieldError>,
    ) -> Option<T> {
        let text = SecretString::from(self.required_text(field)?);
        self.note(field, parse(&text))
    }

    /// A secret that may be missing.
    pub(crate) fn optional_secret<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&SecretString) -> Result<T, FieldError>,
    ) -> Option<T> {
        if self.members.contains_key(field) {
            self.secret(field, parse)
        } else {
            None
        }
    }

    /// A text that may be missing or null.
    pub(crate) fn optional<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        self.nullable(field, parse).flatten()
    }

    /// A text that may be missing (`None`) or null (`Some(None)`).
    #[expect(
        clippy::option_option,
        reason = "missing, null and a value are three things"
    )]
    pub(crate) fn nullable<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        match self.members.remove(field)? {
            Value::Null => Some(None),
            Value::String(text) => self.note(field, parse(&text)).map(Some),
            _ => {
                self.errors.push(FieldProblem::new(
                    field,
                    "wrong_type",
                    "must be a string or null",
                ));
                None
            }
        }
    }

    /// One of a few words; `None` if it is missing.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        field: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let value = self.members.remove(field)?;
        let found = choices
            .iter()
            .find(|(name, _)| value.as_str() == Some(name));
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.errors.push(FieldProblem::new(
                field,
                "invalid_choice",
                format!("must be one of {}", names.join(", ")),
            ));
        }
        found.map(|(_, choice)| *choice)
    }

    /// A text of another kind, that may be missing; `code` and `detail` say what it must be.
    pub(crate) fn parsed<T>(
        &mut self,
        field: &'static str,
        (code, detail): (&'static str, &'static str),
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.remove(field)?;
        let parsed = value.as_str().and_then(parse);
        if parsed.is_none() {
            self.errors.push(FieldProblem::new(field, code, detail));
        }
        parsed
    }

    /// Yes or no, if it is there.
    pub(crate) fn flag(&mut self, field: &'static str) -> Option<bool> {
        let value = self.members.remove(field)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.errors.push(FieldProblem::new(
                field,
                "wrong_type",
                "must be true or false",
            ));
        }
        flag
    }

    /// A list of texts, if it is there. What is wrong with one names its place, such as `roles[2]`.
    pub(crate) fn list<T>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&str) -> Result<T, FieldError>,
    ) -> Option<Vec<T>> {
        let Value::Array(items) = self.members.remove(field)? else {
            self.errors.push(FieldProblem::new(
                field,
                "wrong_type",
                "must be a list of strings",
            ));
            return None;
        };
        let mut list = Vec::new();
        let before = self.errors.len();
        for (index, item) in items.iter().enumerate() {
            let place = format!("{field}[{index}]");
            match item.as_str().map(&parse) {
                Some(Ok(item)) => list.push(item),
                Some(Err(error)) => self.errors.push(FieldProblem::invalid(&place, error)),
                None => {
                    let problem = FieldProblem::new(&place, "wrong_type", "must be a string");
                    self.errors.push(problem);
                }
            }
        }
        (self.errors.len() == before).then_some(list)
    }

    /// Whether a member is there and null; then it is taken.
    pub(crate) fn take_null(&mut self, field: &'static str) -> bool {
        let is_null = self.members.get(field).is_some_and(Value::is_null);
        if is_null {
            self.members.remove(field);
        }
        is_null
    }

    /// A value of any kind, if it is there.
    pub(crate) fn any<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(Value) -> Result<T, FieldError>,
    ) -> Option<T> {
        let value = self.members.remove(field)?;
        self.note(field, parse(value))
    }

    /// An object of any content, if it is there.
    pub(crate) fn object(&mut self, field: &'static str) -> Option<Value> {
        let value = self.members.remove(field)?;
        if value.is_object() {
            return Some(value);
        }
        self.errors
            .push(FieldProblem::new(field, "wrong_type", "must be an object"));
        None
    }

    /// An object with members of its own, if it is there. What is wrong with one of them names its place, such as `passkey.challenge`.
    pub(crate) fn nested<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let Some(Value::Object(members)) = self.object(field) else {
            return None;
        };
        let mut inner = Self {
            members: members.into_iter().collect(),
            errors: Vec::new(),
        };
        let value = parse(&mut inner);
        inner.refuse_unknown();
        let is_sound = inner.errors.is_empty();
        self.errors
            .extend(inner.errors.into_iter().map(|mut error| {
                error.field = format!("{field}.{}", error.field);
                error
            }));
        value.filter(|_| is_sound)
    }

    fn refuse_unknown(&mut self) {
        for unknown in self.members.keys() {
            let name = Label::lossy(unknown);
            let name = name.as_ref().map_or("", Label::as_str);
            self.errors.push(FieldProblem::new(
                name,
                "unknown_field",
                "is not known here",
            ));
        }
    }

    /// Ends the reading: unknown members and all that was wrong become one problem.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Problem> {
        self.refuse_unknown();
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::fields(self.errors)),
        }
    }

    /// Whether a member is there and not yet taken.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    /// Refuses a member for what another one says.
    pub(crate) fn refuse(&mut self, field: &'static str, code: &'static str, detail: &'static str) {
        self.members.remove(field);
        self.errors.push(FieldProblem::new(field, code, detail));
    }

    fn required_text(&mut self, field: &'static str) -> Option<String> {
        let (code, detail) = match self.members.remove(field) {
            Some(Value::String(text)) => return Some(text),
            Some(_) => ("wrong_type", "must be a string"),
            None => ("missing", "is needed"),
        };
        self.errors.push(FieldProblem::new(field, code, detail));
        None
    }

    /// Refuses a value that was read, for what another one says.
    pub(crate) fn note<T>(
        &mut self,
        field: &'static str,
        result: Result<T, FieldError>,
    ) -> Option<T> {
        result
            .map_err(|error| self.errors.push(FieldProblem::invalid(field, error)))
            .ok()
    }

    /// Reads the parameters of a query like members that are texts.
    pub(crate) fn of_query(query: &str) -> Self {
        let (mut members, mut errors) = (BTreeMap::new(), Vec::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = Value::from(value.into_owned());
            if members.insert(name.clone().into_owned(), value).is_some() {
                errors.push(FieldProblem::new(&name, "repeated", "is there twice"));
            }
        }
        // What is echoed is short.
        for error in &mut errors {
            let name = Label::lossy(&error.field);
            error.field = name.map_or_else(String::new, |name| name.as_str().to_owned());
        }
        Self { members, errors }
    }

    /// Reads a JSON object.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        Self::parse_nested(bytes, DEPTH)
    }

    /// Reads a JSON object in which lists and objects are so deep in each other at most.
    fn parse_nested(bytes: &[u8], depth: usize) -> Result<Self, Problem> {
        if is_deep(bytes, depth) {
            return Err(too_deep());
        }
        match serde_json::from_slice::<ObjectMembers>(bytes) {
            Ok(ObjectMembers::Unique(members)) => Ok(Self {
                members,
                errors: Vec::new(),
            }),
            Ok(ObjectMembers::Repeated) => Err(duplicate()),
            Err(error) if error.is_data() => Err(Problem::malformed(
                "malformed_json",
                "The body must be a JSON object.",
            )),
            Err(error) => Err(malformed(error.line(), error.column())),
        }
    }
}

/// Members are texts. What is one level deeper is a member of the wrong type, and its name can be told; what is deeper than that
/// is not worth reading.
const DEPTH: usize = 3;

/// Members of bodies with app data: as deep as that may be, and one more, so that what is wrong can be told. What authenticators make is flatter.
const NESTED_DEPTH: usize = AppData::MAX_DEPTH + 2;

/// Whether there are more than `most` lists and objects within each other, found out without building any of them.
fn is_deep(json: &[u8], most: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// The members of a JSON object. RFC 8259 §4 leaves repeated ones undefined, so they are refused.
enum ObjectMembers {
    Unique(BTreeMap<String, Value>),
    Repeated,
}

impl<'de> Deserialize<'de> for ObjectMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = ObjectMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectMembers, A::Error> {
                let (mut members, mut repeated) = (BTreeMap::new(), false);
                while let Some((name, value)) = map.next_entry()? {
                    repeated |= members.insert(name, value).is_some();
                }
                Ok(if repeated {
                    ObjectMembers::Repeated
                } else {
                    ObjectMembers::Unique(members)
                })
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { Self::parse(&read(&request, payload, MediaType::Json).await?) })
    }
}

/// A body that may be empty, which then counts as `{}`.
pub(crate) struct OptionalBody(pub(crate) Body);

impl FromRequest for OptionalBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload, MediaType::Json).await?;
            Body::parse(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
        })
    }
}

/// A body in which objects may be nested.
pub(crate) struct NestedBody {
    pub(crate) body: Body,
    /// As it came.
    pub(crate) bytes: Bytes,
}

impl FromRequest for NestedBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload, MediaType::Json).await?;
            Ok(Self {
                body: Self::parse(&bytes)?,
                bytes,
            })
        })
    }
}

impl NestedBody {
    /// Reads a JSON object in which others may be.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Body, Problem> {
        Body::parse_nested(bytes, NESTED_DEPTH)
    }
}

/// The parameters of a query, read as strictly as a body.
pub(crate) struct Query(pub(crate) Body);

impl FromRequest for Query {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(Body::of_query(request.query_string()))))
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, is_deep};

    #[test]
    fn depth_is_counted_outside_of_texts() {
        for flat in [
            r#"{"a":"[[[[[[[{{{{"}"#,
            r#"{"a":"\"[[[[[","b":[]}"#,
            r#"{"a":{"b":[]},"c":{"d":[]}}"#,
            "",
            "]]]]]",
            r#"{"a":"\\","b":"[[[["}"#,
        ] {
            assert!(!is_deep(flat.as_bytes(), DEPTH), "{flat}");
        }
        for deep in [
            "[[[[",
            r#"{"a":{"b":{"c":{}}}}"#,
            r#"{"a":"\\","b":[[[[]]]]}"#,
        ] {
            assert!(is_deep(deep.as_bytes(), DEPTH), "{deep}");
        }
    }
}
