//! The document is complete, true, and the one that is checked in.

mod codes;
mod complete;
mod files;
mod shown;

use crate::{kit::openapi::document, routes::documented};
use serde_json::Value;
use utoipa::openapi::OpenApi;

fn described() -> OpenApi {
    document(documented())
}

/// The document as clients read it.
fn json() -> Value {
    serde_json::from_str(&described().to_json().unwrap()).unwrap()
}

/// Each operation: method, path, and what is said about it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let items = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, said)| (path, method, said))
    });
    items
        .map(|(path, method, said)| (method.to_uppercase(), path.clone(), said.clone()))
        .collect()
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
