//! The documents of the configuration, made from the types: the JSON Schema for editors, the reference for people, and the list of
//! keys that loading and showing use. The texts are the doc comments, the defaults those of `Default`.

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
