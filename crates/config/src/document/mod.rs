//! What there is to configure, taken from the types: the JSON Schema for editors, the reference for people, and the list of
//! keys that loading and showing go by. The texts are the doc comments, the defaults are what `Default` says.

mod keys;
mod reference;
mod schema;

pub(crate) use keys::{Key, Kind, Section, known, variable};
pub(crate) use reference::literal;
pub use reference::reference;
pub use schema::schema;

/// How editors and readers name the schema, beside the reference.
pub(crate) const SCHEMA_FILE: &str = "revolve.schema.json";

#[cfg(test)]
mod tests;
