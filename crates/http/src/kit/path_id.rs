//! Ids in paths.

use crate::kit::{
    openapi::Operation,
    problem::{FieldProblem, Problem},
};
use std::str::FromStr;
use utoipa::openapi::{SchemaFormat, Type, path::ParameterIn, schema::ObjectBuilder};

/// Reads an id.
pub(crate) fn path_id<T: FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| {
        Problem::fields(vec![FieldProblem::new(
            name,
            "invalid_id",
            "must be a UUID",
        )])
    })
}

impl Operation {
    /// An id in the path.
    pub(crate) fn path_id(self, name: &'static str, description: &str, example: String) -> Self {
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".to_owned())));
        self.parameter(ParameterIn::Path, name, description, id, example)
            .invalid_fields([(name, "invalid_id", "must be a UUID")])
    }
}
