//! `/openapi.json` and `/docs`: made when they are asked for first, since most instances are never asked.

use crate::kit::{
    cached::cached,
    openapi::{AboutApi, Documented, Operation, Page, document, if_none_match, render, schema_of},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data},
};
use serde_json::json;
use std::{sync::OnceLock, time::Duration};
use utoipa::openapi::OpenApi;

/// Another one comes with another version of the service only.
const MAX_AGE: Duration = Duration::from_mins(5);

/// The document and the page, made when they are asked for first.
pub(crate) struct Documents {
    about: &'static AboutApi,
    operations: fn() -> Vec<Documented>,
    json: OnceLock<Bytes>,
    page: OnceLock<Page>,
}

impl Documents {
    pub(crate) fn new(about: &'static AboutApi, operations: fn() -> Vec<Documented>) -> Self {
        Self {
            about,
            operations,
            json: OnceLock::new(),
            page: OnceLock::new(),
        }
    }

    fn document(&self) -> OpenApi {
        document(self.about, (self.operations)())
    }

    fn json(&self) -> Bytes {
        let made = || {
            self.document()
                .to_json()
                .expect("the document is JSON")
                .into()
        };
        self.json.get_or_init(made).clone()
    }

    fn page(&self) -> &Page {
        self.page.get_or_init(|| render(&self.document()))
    }
}

/// `GET /openapi.json`
pub(crate) async fn json(request: HttpRequest, documents: Data<Documents>) -> HttpResponse {
    cached(&request, MAX_AGE, "application/json", documents.json())
}

/// `GET /docs`
pub(crate) async fn page(request: HttpRequest, documents: Data<Documents>) -> HttpResponse {
    let page = documents.page();
    let mut answer = cached(
        &request,
        MAX_AGE,
        "text/html; charset=utf-8",
        page.html.clone(),
    );
    answer
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, page.policy.clone());
    answer
}

const CACHE: &str = "How long it may be kept (RFC 9111 §5.2).";
const TAG: &str = "The tag of this answer (RFC 9110 §8.8.3).";
const EXAMPLE_TAG: &str = "\"2f1d6c0b9a7e5f4d8c3b2a1908f7e6d5\"";

pub(crate) fn json_docs() -> Operation {
    let schema = schema_of(json!({
        "type": "object",
        "required": ["openapi", "info", "paths", "components"],
        "properties": { "openapi": { "type": "string", "pattern": r"^3\.1\.\d+$" } },
        "additionalProperties": true,
    }));
    let example = json!({ "openapi": "3.1.0", "info": { "title": "Revolve", "version": "1.0.0" }, "paths": {}, "components": {} });
    kept(
        Operation::new(
            "openapi",
            "documents",
            "This document",
            "The OpenAPI document of this very instance.",
        )
        .parameter_of(if_none_match())
        .answer(
            200,
            "The document.",
            "application/json",
            schema,
            [("Shortened", example)],
        ),
    )
}

pub(crate) fn page_docs() -> Operation {
    let schema = schema_of(json!({ "type": "string" }));
    kept(
        Operation::new(
            "docs",
            "documents",
            "This document, for people",
            "A page without scripts that loads nothing from other hosts.",
        )
        .parameter_of(if_none_match())
        .answer(
            200,
            "The page.",
            "text/html",
            schema,
            [("Shortened", json!("<!DOCTYPE html><title>Revolve</title>"))],
        ),
    )
}

fn kept(operation: Operation) -> Operation {
    let operation =
        operation
            .empty(304, "You have it.")
            .header([200, 304], "ETag", TAG, EXAMPLE_TAG);
    operation
        .header([200, 304], "Cache-Control", CACHE, "public, max-age=300")
        .at_once()
}

#[cfg(test)]
mod tests;
