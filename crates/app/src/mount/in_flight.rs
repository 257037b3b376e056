//! The requests on a connection, as its listener counts them.

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
    web::Bytes,
};
use revolve_http::ReceivedAt;
use revolve_listener::{Connection, InFlight};
use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// Keeps count of the requests on a connection, for the outermost layer: from when it is read until its answer is written.
pub(crate) async fn count<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Held<B>>, Error> {
    let in_flight = request.conn_data::<Rc<Connection>>().map(Connection::begin);
    if let Some(in_flight) = &in_flight {
        request
            .extensions_mut()
            .insert(ReceivedAt(in_flight.since()));
    }
    let answer = next.call(request).await?;
    // A client that was too slow with its body is not waited for: its connection ends with the answer.
    if answer.status() == StatusCode::REQUEST_TIMEOUT
        && let Some(connection) = answer.request().conn_data::<Rc<Connection>>()
    {
        connection.close();
    }
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
