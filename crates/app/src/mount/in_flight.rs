//! The requests on a connection, as its listener counts them.

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::{ConnectionType, StatusCode},
    middleware::Next,
    web::Bytes,
};
use futures_util::Stream;
use revolve_http::ReceivedAt;
use revolve_listener::{Connection, InFlight};
use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Keeps count of the requests on a connection, for the outermost layer: from when it is read until its answer is written.
pub(crate) async fn count<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Held<B>>, Error> {
    let connection = request.conn_data::<Rc<Connection>>().cloned();
    let in_flight = connection.as_ref().map(Connection::begin);
    if let Some(connection) = &connection {
        watch_body(&mut request, connection);
    }
    if let Some(in_flight) = &in_flight {
        request
            .extensions_mut()
            .insert(ReceivedAt(in_flight.since()));
    }
    let mut answer = next.call(request).await?;
    if let Some(connection) = connection {
        // A client that was too slow with its body is not waited for: its connection ends with the answer.
        if answer.status() == StatusCode::REQUEST_TIMEOUT {
            connection.close();
        }
        if connection.is_abandoned() {
            answer
                .response_mut()
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
    }
    Ok(answer.map_body(|_, body| Held {
        body: Box::pin(body),
        _in_flight: in_flight,
    }))
}

/// Has the connection know whether the request's body is read, if there is one.
fn watch_body(request: &mut ServiceRequest, connection: &Rc<Connection>) {
    match request.take_payload() {
        Payload::None => {}
        payload => request.set_payload(Payload::Stream {
            payload: Box::pin(IncomingBody {
                payload,
                connection: Rc::clone(connection),
                has_ended: false,
            }),
        }),
    }
}

/// A request's body on its way.
struct IncomingBody {
    payload: Payload,
    connection: Rc<Connection>,
    has_ended: bool,
}

impl Stream for IncomingBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connection.want_body();
        let chunk = Pin::new(&mut self.payload).poll_next(cx);
        self.has_ended = matches!(chunk, Poll::Ready(None | Some(Err(_))));
        chunk
    }
}

impl Drop for IncomingBody {
    fn drop(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let has_arrived = self.has_ended
            || loop {
                match Pin::new(&mut self.payload).poll_next(&mut cx) {
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(_) => break true,
                    Poll::Pending => break false,
                }
            };
        self.connection.leave_body(has_arrived);
    }
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
