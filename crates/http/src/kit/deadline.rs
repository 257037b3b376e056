//! The longest time from a request's first byte to its answer. Each route that is to keep it is wrapped on its own, the innermost
//! of all middleware: the answer that a late request gets goes the same way out as any other.

use crate::kit::problem::Problem;
use actix_web::{
    Error, HttpMessage, HttpRequest, Route,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, StatusCode, Version},
    middleware::{Next, from_fn},
};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// When a request must be answered. A body must have come by then, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) limit: Duration,
}

impl Deadline {
    /// The deadline of a request; if none was set, `limit` from now.
    pub(crate) fn of(request: &HttpRequest, limit: Duration) -> Self {
        let set = request.extensions().get::<Self>().copied();
        set.unwrap_or_else(|| Self {
            at: Instant::now() + limit,
            limit,
        })
    }
}

/// When the first byte of a request came: an extension of the request, where its listener knows it. Without it the time runs from
/// when the request is routed.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedAt(pub Instant);

/// A route whose answer must be there within `limit`.
pub(crate) fn within(limit: Duration, route: Route) -> Route {
    route.wrap(from_fn(move |request, next| keep(limit, request, next)))
}

async fn keep(
    limit: Duration,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let received = request
        .extensions()
        .get::<ReceivedAt>()
        .map_or_else(Instant::now, |received| received.0);
    let deadline = Deadline {
        at: received + limit,
        limit,
    };
    request.extensions_mut().insert(deadline);
    // After routing the request may be shared: nothing changes it any more.
    let kept = request.request().clone();
    let answer = match timeout_at(deadline.at, next.call(request)).await {
        Ok(answer) => answer?,
        Err(_) => ServiceResponse::from_err(late(), kept),
    };
    Ok(if answer.status() == StatusCode::REQUEST_TIMEOUT {
        cut_off(answer)
    } else {
        answer
    })
}

/// 503: not the client's fault. What was begun in the stores is carried to its end all the same.
pub(crate) fn late() -> Problem {
    let detail = "The service did not get this done in time; it may happen all the same. Keep what you have and try again.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "deadline_exceeded", detail)
}

/// A client that was too slow with its body is not waited for: its connection ends with the answer.
fn cut_off(mut answer: ServiceResponse) -> ServiceResponse {
    if answer.request().version() < Version::HTTP_2 {
        answer
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    answer
}
