//! The API described by itself: an OpenAPI 3.1 document, made from the types and the problems that the handlers use, and a page
//! that shows it and loads nothing from other hosts. What an operation takes and answers is documented beside its handler; here
//! it is put together.

mod document;
mod field_schema;
mod operation;
mod page;
mod response;

pub(crate) use document::{ABOUT_ACCOUNT, ABOUT_ADMIN, AboutApi, Documented, document};
pub(crate) use field_schema::{
    Member, choice, email, fixed, known_password, label, language, new_password, token, web_url,
};
pub(crate) use operation::Operation;
pub(crate) use page::{Page, render};
#[cfg(test)]
pub(crate) use response::EVERYWHERE;

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{
    RefOr, Schema, Type,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::ObjectBuilder,
};

/// An answer as an example.
pub(crate) fn example(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).expect("answers are JSON")
}

/// A schema that is shorter as JSON.
pub(crate) fn schema_of(json: Value) -> RefOr<Schema> {
    serde_json::from_value(json).expect("it is a schema")
}

/// The parameter `If-None-Match`.
pub(crate) fn if_none_match() -> Parameter {
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
