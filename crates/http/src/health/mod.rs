//! The health checks and `/metrics`: what orchestrators and collectors ask.

use crate::kit::{
    deadline::late,
    openapi::{Operation, schema_of},
    sliced::Sliced,
};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use revolve_domain::ports::{StoreError, TokenRepository, UserRepository};
use revolve_observe::{metrics::Metrics, telemetry::chain};
use serde_json::{Map, Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Whether the service has begun to stop; a clone is the same one.
#[derive(Clone, Debug, Default)]
pub struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// From now on.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What must answer for the service to be ready.
pub struct Dependencies {
    /// Then it is not ready, whatever the stores say.
    pub stopping: Stopping,
    /// The user database.
    pub users: Arc<dyn UserRepository>,
    /// The white list.
    pub tokens: Arc<dyn TokenRepository>,
}

/// `GET /health/live`: the process serves.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// `GET /health/ready`: the stores answer, too, and the service is not stopping.
pub(crate) async fn ready(dependencies: web::Data<Dependencies>) -> HttpResponse {
    if dependencies.stopping.has_begun() {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "1"))
            .json(json!({ "status": "stopping" }));
    }
    let (users, tokens) =
        futures_util::join!(dependencies.users.ping(), dependencies.tokens.ping());
    let mut stores = Map::new();
    let mut ready = true;
    for (name, result) in [("users", users), ("whiteList", tokens)] {
        ready &= result.is_ok();
        stores.insert(name.to_owned(), state(&result));
    }
    let status = if ready { "ready" } else { "unavailable" };
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    if !ready {
        response.insert_header((header::RETRY_AFTER, "1"));
    }
    response.json(json!({ "status": status, "stores": stores }))
}

fn state(result: &Result<(), StoreError>) -> Value {
    match result {
        Ok(()) => "ready".into(),
        Err(error) => {
            tracing::warn!(error = %chain(error), "not ready");
            "unavailable".into()
        }
    }
}

/// `GET /metrics`, on its own listener: in OpenMetrics, or in the older format for who asks for nothing but that.
pub(crate) async fn metrics(request: HttpRequest, metrics: web::Data<Metrics>) -> HttpResponse {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    if accept.contains("text/plain") && !accept.contains("openmetrics") {
        return HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(Sliced::new(metrics.render_classic()));
    }
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(Sliced::new(metrics.render()))
}

pub(crate) fn live_docs() -> Operation {
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

pub(crate) fn ready_docs() -> Operation {
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
