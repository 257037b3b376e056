//! How `/.well-known/jwks.json` and `/.well-known/openid-configuration` are documented.

use super::KEY_SET;
use crate::http::openapi::{Operation, if_none_match, schema_of};
use serde_json::json;

const CACHE: &str = "How long it may be kept (RFC 9111 §5.2).";
const TAG: &str = "The tag of this answer (RFC 9110 §8.8.3).";

pub(in crate::http) fn jwks() -> Operation {
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
    cached(
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

pub(in crate::http) fn configuration() -> Operation {
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
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "sid", "epoch", "auth_time", "user"],
        "request_uri_parameter_supported": false,
    });
    let description = "Where the key set is and which algorithms are in use (OpenID Connect Discovery 1.0 §3). It is for verifiers: there is \
                       no authorization endpoint, so nothing that describes one is there.";
    cached(
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

fn cached(operation: Operation) -> Operation {
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
