//! How the health checks are documented.

use crate::http::{
    deadline::late,
    openapi::{Operation, schema_of},
};
use serde_json::{Value, json};

pub(in crate::http) fn live() -> Operation {
    let schema = schema_of(
        json!({ "type": "object", "required": ["status"], "properties": { "status": { "type": "string", "enum": ["live"] } } }),
    );
    Operation::new(
        "live",
        "health",
        "Does it serve?",
        "The process serves; nothing is asked of the stores.",
    )
    .answer(
        200,
        "It does.",
        "application/json",
        schema,
        [("It serves", json!({ "status": "live" }))],
    )
    .at_once()
}

pub(in crate::http) fn ready() -> Operation {
    let answer = |status: &str, users: &str| json!({ "status": status, "stores": { "users": users, "whiteList": "ready" } });
    let schema = |status: &str| {
        let store: Value = json!({ "type": "string", "enum": ["ready", "unavailable"] });
        schema_of(json!({
            "type": "object",
            "required": if status == "ready" { vec!["status", "stores"] } else { vec!["status"] },
            "properties": {
                "status": { "type": "string", "enum": if status == "ready" { vec![status] } else { vec![status, "stopping"] } },
                "stores": { "type": "object", "required": ["users", "whiteList"], "properties": { "users": store, "whiteList": store } },
            },
        }))
    };
    Operation::new("ready", "health", "Can it do its work?", "The user database and the white list answer, too.")
        .at_once()
        .answer(200, "It can.", "application/json", schema("ready"), [("All stores answer", answer("ready", "ready"))])
        .answer(
            503,
            "A store does not answer, or the service was told to stop and the next request should go elsewhere.",
            "application/json",
            schema("unavailable"),
            [("No user database", answer("unavailable", "unavailable")), ("It is stopping", json!({ "status": "stopping" }))],
        )
        .problems([late()])
        .header([503], "Retry-After", "Seconds after which to ask again.", "1")
}
