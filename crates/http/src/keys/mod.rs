//! `/.well-known/jwks.json` and `/.well-known/openid-configuration`: what other services need to verify ID tokens.

pub(super) mod docs;

use super::{cached::cached, problem::Problem};
use actix_web::{HttpRequest, HttpResponse, web};
use revolve_domain::ports::KeySet;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The path of the key set.
const KEY_SET: &str = "/.well-known/jwks.json";

/// What is published about keys.
pub(crate) struct Discovery {
    pub(crate) keys: Arc<dyn KeySet>,
    /// The `iss` claim.
    pub(crate) issuer: String,
    /// So long an answer may be kept.
    pub(crate) max_age: Duration,
}

/// `GET /.well-known/jwks.json` (RFC 7517 §5)
pub(super) async fn jwks(request: HttpRequest, discovery: web::Data<Discovery>) -> HttpResponse {
    cached(
        &request,
        discovery.max_age,
        "application/jwk-set+json",
        discovery.keys.to_json(),
    )
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3, RFC 8414 §2)
///
/// Only what is true here. There is no authorization endpoint, so nothing that describes one is there: an empty list of response or
/// grant types must be left out (OpenID Connect Discovery 1.0 §4.2, RFC 8414 §3.2; ADR 8).
pub(super) async fn configuration(
    request: HttpRequest,
    discovery: web::Data<Discovery>,
) -> Result<HttpResponse, Problem> {
    let keys: Value = serde_json::from_str(&discovery.keys.to_json())
        .map_err(|error| Problem::internal(&error))?;
    let keys = keys["keys"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut algorithms: Vec<&str> = keys.iter().filter_map(|key| key["alg"].as_str()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    let issuer = &discovery.issuer;
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{}{KEY_SET}", issuer.trim_end_matches('/')),
        "id_token_signing_alg_values_supported": algorithms,
        "subject_types_supported": ["public"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "sid", "epoch", "auth_time", "user"],
        "request_uri_parameter_supported": false,
    });
    Ok(cached(
        &request,
        discovery.max_age,
        "application/json",
        document.to_string(),
    ))
}
