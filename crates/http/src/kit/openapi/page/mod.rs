//! The page for people: plain HTML with its style inside, no scripts, and a policy that lets the browser load nothing else. It is
//! written from the document alone, so it shows what `/openapi.json` says.

mod example;
mod markup;
mod operation;
mod schema;

use actix_web::{http::header::HeaderValue, web::Bytes};
use base64::{Engine, engine::general_purpose::STANDARD};
use markup::{escape, prose};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use utoipa::openapi::OpenApi;

const STYLE: &str = include_str!("style.css");

/// The page, and what a browser may load for it.
pub(crate) struct Page {
    pub(crate) html: Bytes,
    pub(crate) policy: HeaderValue,
}

/// One operation and where it is.
struct PageEntry {
    method: String,
    path: String,
    said: Value,
}

/// Writes the page.
pub(crate) fn render(document: &OpenApi) -> Page {
    let json = serde_json::to_value(document).expect("the document is JSON");
    // In the order of the document, which JSON need not keep.
    let entries: Vec<PageEntry> = document
        .paths
        .paths
        .iter()
        .flat_map(|(path, _)| entries(&json, path))
        .collect();
    let (mut contents, mut body) = (String::new(), String::new());
    for tag in json["tags"].as_array().into_iter().flatten() {
        let (name, about) = (text(&tag["name"]), text(&tag["description"]));
        let _ = write!(contents, "<h2>{name}</h2><ul>");
        let _ = write!(
            body,
            "<section id=\"{name}\"><h2>{name}</h2><p>{}</p>",
            escape(about)
        );
        for entry in entries.iter().filter(|entry| entry.said["tags"][0] == name) {
            let (id, summary) = (
                text(&entry.said["operationId"]),
                text(&entry.said["summary"]),
            );
            let method = &entry.method;
            let _ = write!(
                contents,
                "<li><a href=\"#{id}\"><b class=\"{method}\">{method}</b> {}</a></li>",
                escape(summary)
            );
            body.push_str(&operation::render(&json, entry));
        }
        contents.push_str("</ul>");
        body.push_str("</section>");
    }
    let info = &json["info"];
    let (title, version) = (escape(text(&info["title"])), escape(text(&info["version"])));
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} {version}: the API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body><nav><details><summary>Operations</summary>{contents}\
         </details></nav><main><header><h1>{title} <small>{version}</small></h1>{}<p class=\"links\"><a href=\"/openapi.json\">\
         openapi.json</a></p></header>{body}</main></body></html>",
        prose(text(&info["description"])),
    );
    Page {
        html: html.into(),
        policy: policy(),
    }
}

fn entries(document: &Value, path: &str) -> Vec<PageEntry> {
    // As one reads about them: looking before changing before deleting.
    let methods = ["get", "post", "put", "patch", "delete"];
    let said = methods
        .iter()
        .map(|method| (method, &document["paths"][path][method]))
        .filter(|(_, said)| said.is_object());
    said.map(|(method, said)| PageEntry {
        method: method.to_uppercase(),
        path: path.to_owned(),
        said: said.clone(),
    })
    .collect()
}

/// Nothing from anywhere, and this style alone.
fn policy() -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("it is text")
}

/// A text of the document; nothing if it is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What is meant, whether it stands here or is referred to.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    value["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}
