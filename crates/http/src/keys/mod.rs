//! `/.well-known/jwks.json`: what other services need to verify ID tokens.

use crate::kit::{
    cached::cached,
    openapi::{Operation, if_none_match, schema_of},
};
use actix_web::{HttpRequest, HttpResponse, web};
use revolve_domain::ports::KeySet;
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// The path of the key set.
pub(crate) const KEY_SET: &str = "/.well-known/jwks.json";

/// What is published about the issuer and its keys.
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

/// What may be kept, and asked for again by its tag.
pub(crate) fn kept(operation: Operation) -> Operation {
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
