//! The members of request bodies, with the limits of the types that they become.

use crate::kit::problem::FieldProblem;
use revolve_domain::model::{EmailAddress, Label, Locale, Password, WebUrl};
use serde_json::Value;
use utoipa::openapi::{
    RefOr, Schema, SchemaFormat, Type,
    schema::{AdditionalProperties, Object, ObjectBuilder, SchemaType},
};

/// No control characters, and something that is not white space.
const LINE: &str = r"^[^\u0000-\u001F\u007F-\u009F]*[^\s\u0000-\u001F\u007F-\u009F][^\u0000-\u001F\u007F-\u009F]*$";
/// An absolute URL of the web without control characters.
const WEB: &str =
    r"^[Hh][Tt][Tt][Pp][Ss]?://[^\u0000-\u0020\u007F-\u009F/?#][^\u0000-\u001F\u007F-\u009F]*$";

/// A language, and what follows it (RFC 5646 §2.1).
const LANGUAGE: &str = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$";

/// A member of a request body.
pub(crate) struct Member {
    name: &'static str,
    schema: RefOr<Schema>,
    required: bool,
}

impl Member {
    /// One that must be there.
    pub(crate) fn required(name: &'static str, schema: ObjectBuilder) -> Self {
        Self {
            required: true,
            ..Self::optional(name, schema)
        }
    }

    /// One that may be missing.
    pub(crate) fn optional(name: &'static str, schema: ObjectBuilder) -> Self {
        Self::of(name, RefOr::T(Schema::Object(schema.build())))
    }

    /// One of any kind that may be missing.
    pub(crate) fn of(name: &'static str, schema: RefOr<Schema>) -> Self {
        Self {
            name,
            schema,
            required: false,
        }
    }

    /// The same, but it must be there.
    pub(crate) fn and_required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// One that may be missing or null.
    pub(crate) fn nullable(name: &'static str, schema: ObjectBuilder) -> Self {
        Self::optional(
            name,
            schema.schema_type(SchemaType::from_iter([Type::String, Type::Null])),
        )
    }

    /// What is wrong with it in an example.
    pub(super) fn example_problem(&self) -> FieldProblem {
        let words = match &self.schema {
            RefOr::T(Schema::Object(object)) => object.enum_values.as_deref(),
            _ => None,
        };
        let words = words.unwrap_or_default().iter();
        let words: Vec<&str> = words.filter_map(Value::as_str).collect();
        match (self.required, words.is_empty()) {
            (true, _) => FieldProblem::new(self.name, "missing", "is needed"),
            (false, false) => FieldProblem::new(
                self.name,
                "invalid_choice",
                format!("must be one of {}", words.join(", ")),
            ),
            (false, true) => FieldProblem::new(self.name, "wrong_type", "must be a string or null"),
        }
    }

    /// The object that has these members and no others.
    pub(super) fn object(description: &str, members: impl IntoIterator<Item = Self>) -> Object {
        Self::object_of(description, members, false)
    }

    /// The object that has these members and any others.
    pub(super) fn open_object(
        description: &str,
        members: impl IntoIterator<Item = Self>,
    ) -> Object {
        Self::object_of(description, members, true)
    }

    fn object_of(
        description: &str,
        members: impl IntoIterator<Item = Self>,
        is_open: bool,
    ) -> Object {
        let mut object = ObjectBuilder::new()
            .description(Some(description))
            .additional_properties(Some(AdditionalProperties::FreeForm(is_open)));
        for Self {
            name,
            schema,
            required,
        } in members
        {
            object = object.property(name, schema);
            if required {
                object = object.required(name);
            }
        }
        object.build()
    }
}

fn text(description: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .examples([Value::from(example)])
}

/// An e-mail address.
pub(crate) fn email() -> ObjectBuilder {
    let description = "An e-mail address, kept as it was typed, in NFC, without the white space around it, in at most 254 bytes. The same mailbox in \
                       another spelling (case, quotes, a domain in Unicode or in ASCII) is the same address. `invalid_email`, `too_long`";
    text(description, "ann@example.org")
        .format(Some(SchemaFormat::Custom("idn-email".to_owned())))
        .max_length(Some(EmailAddress::MAX))
}

/// A present password, which is checked: any that could have been accepted once.
pub(crate) fn known_password(description: &str) -> ObjectBuilder {
    text(description, "correct horse battery")
        .format(Some(password()))
        .max_length(Some(Password::MAX))
}

/// A password to be set.
pub(crate) fn new_password() -> ObjectBuilder {
    let description = "Any Unicode, counted in characters after normalisation (NFC), never trimmed, never truncated. `too_short`, `too_long`";
    text(description, "correct horse battery")
        .format(Some(password()))
        .min_length(Some(Password::MIN))
        .max_length(Some(Password::MAX))
}

fn password() -> SchemaFormat {
    SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Password)
}

/// A line of text.
pub(crate) fn label(description: &str, example: &str) -> ObjectBuilder {
    text(description, example)
        .min_length(Some(1))
        .max_length(Some(Label::MAX))
        .pattern(Some(LINE))
}

/// A language tag.
pub(crate) fn language(description: &str) -> ObjectBuilder {
    text(description, "de-CH")
        .min_length(Some(2))
        .max_length(Some(Locale::MAX_LEN))
        .pattern(Some(LANGUAGE))
}

/// A URL that browsers may show.
pub(crate) fn web_url(description: &str, example: &str) -> ObjectBuilder {
    text(description, example)
        .format(Some(SchemaFormat::Custom("uri".to_owned())))
        .max_length(Some(WebUrl::MAX))
        .pattern(Some(WEB))
}

/// A token.
pub(crate) fn token(description: &str, example: &str) -> ObjectBuilder {
    text(description, example)
}

/// One of a few words; none is meant where it is missing.
pub(crate) fn fixed<const N: usize>(description: &str, words: [&'static str; N]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words))
}

/// One of a few words.
pub(crate) fn choice(
    description: &str,
    words: impl IntoIterator<Item = &'static str>,
    default: &str,
) -> ObjectBuilder {
    text(description, default)
        .enum_values(Some(words))
        .default(Some(default.into()))
}
