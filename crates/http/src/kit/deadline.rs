//! The longest time from a request's first byte to its answer. Each route that is to keep it is wrapped on its own, the innermost
//! of all middleware: the answer that a late request gets goes the same way out as any other.

use super::problem::Problem;
use crate::server::{Connection, InFlight};
use actix_web::{
    Error, HttpMessage, HttpRequest, ResponseError, Route,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, StatusCode, Version},
    middleware::{Next, from_fn},
    web::Bytes,
};
use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// When a request must be answered. A body must have come by then, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) limit: Duration,
}

impl Deadline {
    /// The deadline of a request; one that nobody has set is `limit` from now.
    pub(crate) fn of(request: &HttpRequest, limit: Duration) -> Self {
        let set = request.extensions().get::<Self>().copied();
        set.unwrap_or_else(|| Self {
            at: Instant::now() + limit,
            limit,
        })
    }
}

/// When the first byte of a request came, where that is known.
#[derive(Clone, Copy, Debug)]
struct Since(Instant);

/// A route whose answer must be there within `limit`.
pub(super) fn within(limit: Duration, route: Route) -> Route {
    route.wrap(from_fn(move |request, next| keep(limit, request, next)))
}

async fn keep(
    limit: Duration,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let since = request
        .extensions()
        .get::<Since>()
        .map_or_else(Instant::now, |since| since.0);
    let deadline = Deadline {
        at: since + limit,
        limit,
    };
    request.extensions_mut().insert(deadline);
    // Routing is over: nobody wants the request for themselves any more.
    let kept = request.request().clone();
    let answer = match timeout_at(deadline.at, next.call(request)).await {
        Ok(answer) => answer?,
        Err(_) => ServiceResponse::new(kept, late().error_response()),
    };
    Ok(if answer.status() == StatusCode::REQUEST_TIMEOUT {
        cut_off(answer)
    } else {
        answer
    })
}

/// 503: not the client's fault. What was begun in the stores is carried to its end all the same.
pub(super) fn late() -> Problem {
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
        if let Some(connection) = answer.request().conn_data::<Rc<Connection>>() {
            connection.close();
        }
    }
    answer
}

/// Keeps count of the requests on a connection, for the outermost layer: from when it is read until its answer is written.
pub(crate) async fn count<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Held<B>>, Error> {
    let in_flight = request.conn_data::<Rc<Connection>>().map(Connection::begin);
    if let Some(in_flight) = &in_flight {
        request.extensions_mut().insert(Since(in_flight.since));
    }
    let answer = next.call(request).await?;
    Ok(answer.map_body(|_, body| Held {
        body: Box::pin(body),
        _in_flight: in_flight,
    }))
}

/// An answer's body; while it is there, its request is in flight.
pub(crate) struct Held<B> {
    body: Pin<Box<B>>,
    _in_flight: Option<InFlight>,
}

impl<B: MessageBody> MessageBody for Held<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_mut().poll_next(cx)
    }
}
