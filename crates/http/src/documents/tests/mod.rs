//! The document is complete, true, and the one that is checked in.

mod codes;
mod complete;
mod files;
mod shown;

use crate::{
    kit::openapi::{ABOUT_ACCOUNT, ABOUT_ADMIN, AboutApi, Documented, document},
    routes::{documented, documented_admin},
};
use serde_json::Value;
use utoipa::openapi::OpenApi;

/// An API with its document and the guide that lists its problems, both in `docs`.
struct Api {
    about: &'static AboutApi,
    operations: fn() -> Vec<Documented>,
    document: &'static str,
    guide: &'static str,
    /// How many examples there are at least.
    examples: usize,
}

/// That of the public listener, and that of the listener for operators.
const APIS: [Api; 2] = [
    Api {
        about: &ABOUT_ACCOUNT,
        operations: documented,
        document: "openapi.json",
        guide: "api.md",
        examples: 100,
    },
    Api {
        about: &ABOUT_ADMIN,
        operations: documented_admin,
        document: "openapi-admin.json",
        guide: "operators.md",
        examples: 80,
    },
];

impl Api {
    fn described(&self) -> OpenApi {
        document(self.about, (self.operations)())
    }

    /// The document as clients read it.
    fn json(&self) -> Value {
        serde_json::from_str(&self.described().to_json().unwrap()).unwrap()
    }
}

/// Each operation by its path: method, path, and what is said about it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let items = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, said)| (path, method, said))
    });
    let mut operations: Vec<_> = items
        .map(|(path, method, said)| (method.to_uppercase(), path.clone(), said.clone()))
        .collect();
    // Whatever else is built: that decides about the order of members.
    operations.sort_by(|(method, path, _), (other_method, other_path, _)| {
        (path, method).cmp(&(other_path, other_method))
    });
    operations
}

/// What is meant, whether it stands here or is referred to.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.strip_prefix('#').unwrap())
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}
