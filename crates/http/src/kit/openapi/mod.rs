//! The API described by itself: an OpenAPI 3.1 document, made from the types and the problems that the handlers use, and a page
//! that shows it without asking anybody else. What an operation takes and answers is said in the `docs` module beside its
//! handler; here it is put together and served.

mod document;
mod field_schema;
mod operation;
mod page;
mod response;
mod serve;
#[cfg(test)]
mod tests;

pub(super) use field_schema::{
    Member, choice, email, known_password, label, new_password, token, web_url,
};
pub(super) use operation::Operation;
pub(super) use serve::{json, page};

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{
    RefOr, Schema, Type,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::ObjectBuilder,
};

/// The path of the document.
pub(super) const DOCUMENT: &str = "/openapi.json";
/// The path of the page.
pub(super) const PAGE: &str = "/docs";

/// An answer as an example.
pub(super) fn example(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).expect("answers are JSON")
}

/// A schema that is shorter as JSON.
pub(super) fn schema_of(json: Value) -> RefOr<Schema> {
    serde_json::from_value(json).expect("it is a schema")
}

/// The header by which a client says what it has.
pub(super) fn if_none_match() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    let description = "The `ETag` of what you have; 304 says that it is still so.";
    let parameter = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .description(Some(description));
    parameter
        .schema(Some(schema))
        .example(Some("\"2f1d6c0b9a7e5f4d8c3b2a1908f7e6d5\"".into()))
        .build()
}
