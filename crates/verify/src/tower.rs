//! A tower layer, for axum and others.
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use revolve_verify::{User, Verifier, tower::VerifyLayer};
//!
//! async fn hello(Extension(user): Extension<User>) -> String {
//!     format!("Hello {}", user.email)
//! }
//!
//! fn router(verifier: Verifier) -> Router {
//!     Router::new().route("/hello", get(hello)).layer(VerifyLayer::new(verifier))
//! }
//! # fn main() {}
//! ```

use crate::{Verifier, bearer, problem::ProblemDocument};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Lets only requests with a good bearer token through, and puts [`crate::Claims`] and [`crate::User`] into their extensions. Others are
/// answered with a problem document: 401 with `WWW-Authenticate`, or 503 with `Retry-After`.
#[derive(Clone, Debug)]
pub struct VerifyLayer(Verifier);

impl VerifyLayer {
    /// A layer with this verifier.
    pub fn new(verifier: Verifier) -> Self {
        Self(verifier)
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = VerifyService<S>;

    fn layer(&self, inner: S) -> VerifyService<S> {
        VerifyService {
            inner,
            verifier: self.0.clone(),
        }
    }
}

/// The service that [`VerifyLayer`] makes.
#[derive(Clone, Debug)]
pub struct VerifyService<S> {
    inner: S,
    verifier: Verifier,
}

impl<S, B, R> Service<Request<B>> for VerifyService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let verifier = self.verifier.clone();
        // The one that was found ready is used up; the clone need not be ready.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let fields = request.headers().get_all(header::AUTHORIZATION).iter();
            match bearer::identify(&verifier, fields.map(HeaderValue::as_bytes)).await {
                Ok(claims) => {
                    request.extensions_mut().insert(claims.user.clone());
                    request.extensions_mut().insert(claims);
                    inner.call(request).await
                }
                Err(problem) => Ok(answer(&problem)),
            }
        })
    }
}

fn answer<R: From<String>>(problem: &ProblemDocument) -> Response<R> {
    let mut response = Response::new(R::from(problem.body()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in problem.fields() {
        let (name, value) = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        response.headers_mut().insert(name, value);
    }
    response
}
