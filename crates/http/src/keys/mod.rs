//! `/.well-known/jwks.json` and `/.well-known/openid-configuration`: what other services need to verify ID tokens.

use crate::kit::{
    cached::cached,
    openapi::{Operation, if_none_match, schema_of},
    problem::Problem,
};
use actix_web::{HttpRequest, HttpResponse, web};
use revolve_domain::ports::KeySet;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The path of the key set.
pub(crate) const KEY_SET: &str = "/.well-known/jwks.json";

/// What is published about keys.
pub struct Discovery {
    /// The public keys.
    pub keys: Arc<dyn KeySet>,
    /// The `iss` claim.
    pub issuer: String,
    /// So long an answer may be kept.
    pub max_age: Duration,
}

/// `GET /.well-known/jwks.json` (RFC 7517 §5)
pub(crate) async fn jwks(request: HttpRequest, discovery: web::Data<Discovery>) -> HttpResponse {
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
pub(crate) async fn configuration(
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
        "claims_supported": CLAIMS,
        "request_uri_parameter_supported": false,
    });
    Ok(cached(
        &request,
        discovery.max_age,
        "application/json",
        document.to_string(),
    ))
}

const CLAIMS: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "iat",
    "exp",
    "sid",
    "epoch",
    "auth_time",
    "amr",
    "user",
    "email",
    "email_verified",
    "name",
    "picture",
    "roles",
    "app",
    "version",
];

const CACHE: &str = "How long it may be kept (RFC 9111 §5.2).";
const TAG: &str = "The tag of this answer (RFC 9110 §8.8.3).";

pub(crate) fn jwks_docs() -> Operation {
    let key = json!({
        "type": "object",
        "required": ["kty", "use", "alg", "kid"],
        "properties": {
            "kty": { "type": "string", "enum": ["RSA", "EC", "OKP"] },
            "use": { "type": "string", "enum": ["sig"] },
            "alg": { "type": "string", "enum": ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"] },
            "kid": { "type": "string", "description": "The key's thumbprint (RFC 7638), as in the header of the tokens." },
            "n": { "type": "string", "description": "RSA: the modulus." },
            "e": { "type": "string", "description": "RSA: the exponent." },
            "crv": { "type": "string", "enum": ["P-256", "Ed25519"] },
            "x": { "type": "string", "description": "EC and OKP: the public key." },
            "y": { "type": "string", "description": "EC: the other half." },
        },
        "additionalProperties": false,
    });
    let set = schema_of(
        json!({ "type": "object", "required": ["keys"], "properties": { "keys": { "type": "array", "minItems": 1, "items": key } } }),
    );
    let example = json!({ "keys": [{
        "kty": "EC", "use": "sig", "alg": "ES256", "kid": "mFr6hHXqLb8kJm3oYyq3tQxW0uV5w2nD1cZ7sR9pT4E", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }] });
    let description = "The public keys that verify ID tokens (RFC 7517): the one that signs, the next, and those whose tokens still live.";
    kept(
        Operation::new("keySet", "verification", "The key set", description)
            .parameter_of(if_none_match())
            .answer(
                200,
                "The key set.",
                "application/jwk-set+json",
                set,
                [("One key", example)],
            ),
    )
}

pub(crate) fn configuration_docs() -> Operation {
    let words = json!({ "type": "array", "items": { "type": "string" } });
    let schema = schema_of(json!({
        "type": "object",
        "required": [
            "issuer", "jwks_uri", "id_token_signing_alg_values_supported", "subject_types_supported", "claims_supported",
            "request_uri_parameter_supported",
        ],
        "properties": {
            "issuer": { "type": "string", "description": "The claim `iss` of every token." },
            "jwks_uri": { "type": "string", "format": "uri" },
            "id_token_signing_alg_values_supported": words,
            "subject_types_supported": words,
            "claims_supported": words,
            "request_uri_parameter_supported": { "type": "boolean", "enum": [false] },
        },
    }));
    let example = json!({
        "issuer": "https://accounts.example.org",
        "jwks_uri": format!("https://accounts.example.org{KEY_SET}"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
        "claims_supported": CLAIMS,
        "request_uri_parameter_supported": false,
    });
    let description = "Where the key set is and which algorithms are in use (OpenID Connect Discovery 1.0 §3). It is for verifiers: there is \
                       no authorization endpoint, so nothing that describes one is there.";
    kept(
        Operation::new(
            "openidConfiguration",
            "verification",
            "The issuer's configuration",
            description,
        )
        .parameter_of(if_none_match())
        .answer(
            200,
            "The configuration.",
            "application/json",
            schema,
            [("An issuer", example)],
        ),
    )
}

fn kept(operation: Operation) -> Operation {
    operation
        .empty(304, "You have it.")
        .header(
            [200, 304],
            "ETag",
            TAG,
            "\"2f1d6c0b9a7e5f4d8c3b2a1908f7e6d5\"",
        )
        .header([200, 304], "Cache-Control", CACHE, "public, max-age=3600")
}
