//! A tower layer, for axum and whatever else takes one.
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

use crate::{
    Verifier, bearer,
    error::VerifyError,
    problem::{MEDIA_TYPE, Problem},
};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Lets only requests with a good bearer token through, and puts [`crate::Claims`] and [`crate::User`] into their extensions. The others are
/// answered with a problem document: 401 with `WWW-Authenticate`, or 503 with `Retry-After`.
#[derive(Clone, Debug)]
pub struct VerifyLayer(Verifier);

impl VerifyLayer {
    /// A layer that asks this verifier.
    pub fn new(verifier: Verifier) -> Self {
        Self(verifier)
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify {
            inner,
            verifier: self.0.clone(),
        }
    }
}

/// The service that [`VerifyLayer`] makes.
#[derive(Clone, Debug)]
pub struct Verify<S> {
    inner: S,
    verifier: Verifier,
}

impl<S, B, R> Service<Request<B>> for Verify<S>
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
            match identify(&verifier, request.headers()).await {
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

async fn identify(
    verifier: &Verifier,
    headers: &http::HeaderMap,
) -> Result<crate::Claims, Problem> {
    let fields = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes);
    let token = bearer::token(fields).ok_or_else(Problem::unauthenticated)?;
    verifier
        .verify(token)
        .await
        .map_err(|error: VerifyError| Problem::from(&error))
}

fn answer<R: From<String>>(problem: &Problem) -> Response<R> {
    let mut response = Response::new(R::from(problem.body()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut add = |name: HeaderName, value: &'static str| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value))
    };
    add(header::CONTENT_TYPE, MEDIA_TYPE);
    add(header::CACHE_CONTROL, "no-store");
    if let Some(challenge) = problem.challenge {
        add(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = problem.retry_after {
        add(header::RETRY_AFTER, seconds);
    }
    response
}
