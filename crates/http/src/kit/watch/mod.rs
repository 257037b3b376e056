//! Watches requests: a span around each, one line in the log, a number in the metrics, an id on every answer; and a handler
//! that panics answers 500 in place of cutting the connection. Paths, query strings and headers are never written, since
//! tokens get lost in them: what is written is the template of the route.

mod request;

use crate::kit::{
    forwarded::TrustedProxies,
    problem::{Panicked, Problem},
    request_id::{REQUEST_ID, RequestId},
    shield::{PathKind, Shield},
};
use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::StatusCode,
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use request::{RequestOutcome, WatchedRequest};
use revolve_observe::metrics::Metrics;
use std::{
    fmt,
    future::{Ready, ready},
    panic::AssertUnwindSafe,
    rc::Rc,
    sync::Arc,
};
use tracing::Instrument;

/// The middleware. It may be around the whole app and around its parts at once: only the outermost counts a request.
#[derive(Clone)]
pub struct Watch {
    metrics: Arc<Metrics>,
    /// Who may say where a request came from.
    proxies: Arc<TrustedProxies>,
    /// What is on every answer, also on those that come about here.
    shield: Shield,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Watch {
    /// Counts in `metrics`; `proxies` say where a request came from.
    pub fn new(metrics: &Arc<Metrics>, proxies: &Arc<TrustedProxies>, shield: Shield) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            proxies: Arc::clone(proxies),
            shield,
        }
    }
}

/// A mark on requests that are watched already.
struct Watched;

impl<S, B> Transform<S, ServiceRequest> for Watch
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = Watching<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Watching {
            service: Rc::new(service),
            watch: self.clone(),
        }))
    }
}

/// A service that is watched.
pub struct Watching<S> {
    service: Rc<S>,
    watch: Watch,
}

impl<S, B> Service<ServiceRequest> for Watching<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse<B>, Error>>;

    forward_ready!(service);

    fn call(&self, asked: ServiceRequest) -> Self::Future {
        if asked.extensions().contains::<Watched>() {
            return Box::pin(self.service.call(asked));
        }
        asked.extensions_mut().insert(Watched);
        let (id, shield, path) = (
            RequestId::of(asked.headers()),
            self.watch.shield,
            PathKind::of(asked.path()),
        );
        let request = WatchedRequest::begin(&asked, id, &self.watch);
        let (service, span) = (Rc::clone(&self.service), request.span());
        // The call itself is within, too: some services do their work there.
        let work = AssertUnwindSafe(async move { service.call(asked).await }).catch_unwind();
        Box::pin(async move {
            let answered = id.scope(work.instrument(span)).await;
            match answered {
                Ok(Ok(mut response)) => {
                    request.end(RequestOutcome::of(response.response()));
                    response.headers_mut().insert(REQUEST_ID, id.to_header());
                    Ok(response)
                }
                Ok(Err(error)) => {
                    request.end(RequestOutcome::of(&error.error_response()));
                    Err(Identified {
                        error,
                        id,
                        shield,
                        path,
                    }
                    .into())
                }
                Err(_) => {
                    let problem = id
                        .scope(async { Problem::internal(&Panicked) })
                        .instrument(request.span())
                        .await;
                    request.end(RequestOutcome::of(&problem.error_response()));
                    Err(Identified {
                        error: problem.into(),
                        id,
                        shield,
                        path,
                    }
                    .into())
                }
            }
        })
    }
}

/// An error whose answer carries the request's id and what is on every answer.
#[derive(Debug)]
struct Identified {
    error: Error,
    id: RequestId,
    shield: Shield,
    path: PathKind,
}

impl fmt::Display for Identified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Identified {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        response
            .headers_mut()
            .insert(REQUEST_ID, self.id.to_header());
        self.shield.cover(self.path, response.headers_mut());
        response
    }
}

#[cfg(test)]
mod tests;
