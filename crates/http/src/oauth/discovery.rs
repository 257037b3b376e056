//! The discovery documents: what is here and where, for verifiers of ID tokens and for OAuth clients.

use super::{GRANT, INTROSPECT, REVOKE, SCOPES, TOKEN, USERINFO};
use crate::{
    keys::{Discovery, KEY_SET, kept},
    kit::{
        cached::cached,
        openapi::{Operation, if_none_match, schema_of},
        problem::Problem,
    },
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The claims of ID tokens, and those that user info adds.
const CLAIMS: [&str; 19] = [
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
    "website",
    "locale",
    "roles",
    "app",
    "version",
];

/// How a key is shown: as a client's secret, or as a token (RFC 8414 §2, `introspection_endpoint_auth_methods_supported`).
const KEY_METHODS: [&str; 2] = ["client_secret_basic", "Bearer"];

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3) and `GET /.well-known/oauth-authorization-server` (RFC 8414 §3)
///
/// One document for both, with only what is true here. There is no authorization endpoint, so nothing that describes one is there: an empty
/// list of response types must be left out (OpenID Connect Discovery 1.0 §4.2, RFC 8414 §3.2; ADR 8). Clients are not registered, and authenticate
/// by nothing.
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
    Ok(cached(
        &request,
        discovery.max_age,
        "application/json",
        document(&discovery.issuer, &algorithms).to_string(),
    ))
}

fn document(issuer: &str, algorithms: &[&str]) -> Value {
    let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    json!({
        "issuer": issuer,
        "jwks_uri": at(KEY_SET),
        "token_endpoint": at(TOKEN),
        "token_endpoint_auth_methods_supported": ["none"],
        "grant_types_supported": [GRANT],
        "scopes_supported": SCOPES,
        "revocation_endpoint": at(REVOKE),
        "revocation_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint": at(INTROSPECT),
        "introspection_endpoint_auth_methods_supported": KEY_METHODS,
        "userinfo_endpoint": at(USERINFO),
        "id_token_signing_alg_values_supported": algorithms,
        "subject_types_supported": ["public"],
        "claims_supported": CLAIMS,
        "request_uri_parameter_supported": false,
    })
}

pub(crate) fn configuration_docs() -> Operation {
    docs(
        "openidConfiguration",
        "The issuer's configuration",
        "Where the key set and the endpoints for OAuth clients are, and which algorithms are in use (OpenID Connect Discovery 1.0 §3). There is no \
         authorization endpoint, so nothing that describes one is there.",
    )
}

pub(crate) fn authorization_server_docs() -> Operation {
    docs(
        "oauthAuthorizationServer",
        "The same, for OAuth clients",
        "The document of `/.well-known/openid-configuration` at the place where OAuth clients look for it (RFC 8414 §3).",
    )
}

fn docs(id: &'static str, summary: &'static str, description: &'static str) -> Operation {
    let example = document("https://accounts.example.org", &["RS256"]);
    let words = json!({ "type": "array", "items": { "type": "string" } });
    let url = json!({ "type": "string", "format": "uri" });
    let member = |(name, value): (&String, &Value)| {
        let schema = match value {
            _ if name == "issuer" => {
                json!({ "type": "string", "description": "The claim `iss` of every token." })
            }
            Value::Array(_) => words.clone(),
            Value::Bool(_) => json!({ "type": "boolean", "enum": [false] }),
            _ => url.clone(),
        };
        (name.clone(), schema)
    };
    let members: serde_json::Map<String, Value> = example
        .as_object()
        .into_iter()
        .flatten()
        .map(member)
        .collect();
    let schema = schema_of(json!({
        "type": "object",
        "required": members.keys().collect::<BTreeSet<_>>(),
        "properties": members,
    }));
    kept(
        Operation::new(id, "verification", summary, description)
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
