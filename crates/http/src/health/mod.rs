//! The health checks and `/metrics`: what orchestrators and collectors ask.

pub(super) mod docs;

use super::problem::chain;
use crate::metrics::Metrics;
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use revolve_domain::ports::{StoreError, TokenRepository, UserRepository};
use serde_json::{Map, Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Whether the service has begun to stop; a clone is the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopping(Arc<AtomicBool>);

impl Stopping {
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What must answer for the service to be ready.
pub(crate) struct Dependencies {
    pub(crate) stopping: Stopping,
    pub(crate) users: Arc<dyn UserRepository>,
    pub(crate) tokens: Arc<dyn TokenRepository>,
}

/// `GET /health/live`: the process serves.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// `GET /health/ready`: the stores answer, too, and nobody has told the service to stop.
pub(super) async fn ready(dependencies: web::Data<Dependencies>) -> HttpResponse {
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
pub(super) async fn metrics(request: HttpRequest, metrics: web::Data<Metrics>) -> HttpResponse {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    if accept.contains("text/plain") && !accept.contains("openmetrics") {
        return HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(metrics.render_classic());
    }
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(metrics.render())
}
