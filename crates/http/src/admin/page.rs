//! Lists, page by page.

use crate::kit::{body::Body, openapi::Operation};
use revolve_domain::model::Timestamp;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::openapi::{SchemaFormat, Type, path::ParameterIn, schema::ObjectBuilder};

/// Entries of a page, unless `limit` says another number, and at most.
const PAGE: (u32, u32) = (50, 200);

/// The number of entries.
pub(super) fn limit(query: &mut Body) -> u32 {
    let detail = ("invalid_number", "must be a whole number from 1 to 200");
    let parse = |text: &str| {
        let number = text.parse().ok()?;
        (1..=PAGE.1).contains(&number).then_some(number)
    };
    query.parsed("limit", detail, parse).unwrap_or(PAGE.0)
}

/// Yes or no.
pub(super) fn flag(query: &mut Body, name: &'static str) -> Option<bool> {
    query.choice(name, &[("true", true), ("false", false)])
}

/// An id.
pub(super) fn id<T: std::str::FromStr>(query: &mut Body, name: &'static str) -> Option<T> {
    query.parsed(name, ("invalid_id", "must be a UUID"), |text| {
        text.parse().ok()
    })
}

/// An instant.
pub(super) fn instant(body: &mut Body, name: &'static str) -> Option<Timestamp> {
    let detail = (
        "invalid_instant",
        "must be an instant such as 2026-01-02T03:04:05Z",
    );
    body.parsed(name, detail, |text| {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Timestamp::from(at))
    })
}

pub(super) fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn format_schema(format: &str) -> ObjectBuilder {
    text_schema().format(Some(SchemaFormat::Custom(format.to_owned())))
}

pub(super) fn words(words: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    text_schema().enum_values(Some(words))
}

impl Operation {
    /// May have these parameters in its query.
    pub(super) fn query(
        self,
        name: &'static str,
        description: &str,
        schema: ObjectBuilder,
        example: &str,
    ) -> Self {
        self.parameter(ParameterIn::Query, name, description, schema, example)
    }

    /// Answers so many entries.
    pub(super) fn limit(self) -> Self {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(PAGE.1));
        self.parameter(
            ParameterIn::Query,
            "limit",
            "How many entries at most, 1 to 200; 50.",
            limit,
            50,
        )
        .invalid_fields([
            (
                "limit",
                "invalid_number",
                "must be a whole number from 1 to 200",
            ),
            ("prefx", "unknown_field", "is not known here"),
        ])
    }
}
