//! A tower layer, for axum and others.
//!
//! ```
//! use axum::{Extension, Router, routing::{get, post}};
//! use revolve_verify::{User, Verifier, tower::{VerifyLayer, require_recent, require_role}};
//! use std::time::Duration;
//!
//! async fn hello(Extension(user): Extension<User>) -> String {
//!     format!("Hello {}", user.email)
//! }
//!
//! fn router(verifier: Verifier) -> Router {
//!     let invoices = get(async || "…").layer(require_role("billing:read"));
//!     let pay = post(async || "…").layer(require_recent(Duration::from_mins(5)));
//!     Router::new()
//!         .route("/hello", get(hello))
//!         .route("/invoices", invoices)
//!         .route("/payments", pay)
//!         .layer(VerifyLayer::new(verifier))
//! }
//! # fn main() {}
//! ```

use crate::{
    Claims, InsufficientAuthentication, RequiredAuthentication, Verifier, bearer,
    problem::ProblemDocument, requirement::Requirement,
};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use std::{
    future::ready,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;

/// Lets only requests with a good bearer token through, and puts [`crate::Claims`], [`crate::User`] and the [`crate::Verifier`] into their extensions.
/// Others are answered with a problem document: 401 with `WWW-Authenticate`, or 503 with `Retry-After`.
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
    type Future = Answering<R, S::Error>;

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
                    request.extensions_mut().insert(verifier);
                    inner.call(request).await
                }
                Err(problem) => Ok(answer(&problem)),
            }
        })
    }
}

/// Lets only requests through whose account has the role, below a [`VerifyLayer`]. Others are answered with a problem document: 403.
pub fn require_role(role: impl Into<Box<str>>) -> RequireLayer {
    RequireLayer(Arc::new(Requirement::Role(role.into())))
}

/// Lets only requests through whose user was authenticated at most so long ago, as [`RequiredAuthentication::recent`] says, below a [`VerifyLayer`].
/// Others are answered with a problem document: 401 with the challenge of RFC 9470.
pub fn require_recent(max_age: Duration) -> RequireLayer {
    require_authentication(RequiredAuthentication::recent(max_age))
}

/// Lets only requests through whose user was authenticated by all of these methods, as [`RequiredAuthentication::by`] says. Others are answered as by
/// [`require_recent`].
///
/// # Panics
/// As [`RequiredAuthentication::by`].
pub fn require_amr(amr: &[&str]) -> RequireLayer {
    require_authentication(RequiredAuthentication::by(amr))
}

/// Lets only requests through whose user was authenticated as required, in both respects. Others are answered as by [`require_recent`].
pub fn require_authentication(required: RequiredAuthentication) -> RequireLayer {
    RequireLayer(Arc::new(Requirement::Authentication(required)))
}

/// What [`require_role`], [`require_recent`], [`require_amr`] and [`require_authentication`] make.
#[derive(Clone, Debug)]
pub struct RequireLayer(Arc<Requirement>);

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService {
            inner,
            requirement: Arc::clone(&self.0),
        }
    }
}

/// The service that [`RequireLayer`] makes.
#[derive(Clone, Debug)]
pub struct RequireService<S> {
    inner: S,
    requirement: Arc<Requirement>,
}

impl<S, B, R> Service<Request<B>> for RequireService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answering<R, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let known = request.extensions();
        let refusal = match (known.get::<Claims>(), known.get::<Verifier>()) {
            (Some(claims), Some(verifier)) => self.requirement.refusal(claims, verifier),
            _ => Some(no_layer_above()),
        };
        match refusal {
            None => Box::pin(self.inner.call(request)),
            Some(problem) => Box::pin(ready(Ok(answer(&problem)))),
        }
    }
}

/// For handlers that ask [`Verifier::require_authentication`] themselves.
impl<R: From<String>> From<InsufficientAuthentication> for Response<R> {
    fn from(error: InsufficientAuthentication) -> Self {
        answer(&error.into())
    }
}

fn no_layer_above() -> ProblemDocument {
    tracing::error!("there is no VerifyLayer above the layer that requires something of the user");
    ProblemDocument::misconfigured()
}

/// An answer that is being made.
type Answering<R, E> = Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>;

fn answer<R: From<String>>(problem: &ProblemDocument) -> Response<R> {
    let mut response = Response::new(R::from(problem.body()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in problem.fields() {
        // All of them are ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value);
        }
    }
    response
}
