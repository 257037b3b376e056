//! A tower layer, for axum and others.
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use revolve_verify::{User, Verifier, tower::{VerifyLayer, require_role}};
//!
//! async fn hello(Extension(user): Extension<User>) -> String {
//!     format!("Hello {}", user.email)
//! }
//!
//! fn router(verifier: Verifier) -> Router {
//!     let invoices = get(async || "…").layer(require_role("billing:read"));
//!     Router::new().route("/hello", get(hello)).route("/invoices", invoices).layer(VerifyLayer::new(verifier))
//! }
//! # fn main() {}
//! ```

use crate::{Claims, Verifier, bearer, problem::ProblemDocument};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use std::{
    future::ready,
    mem,
    pin::Pin,
    sync::Arc,
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

/// Lets only requests through whose account has the role, below a [`VerifyLayer`]. Others are answered with a problem document: 403.
pub fn require_role(role: impl Into<Arc<str>>) -> RequireRoleLayer {
    RequireRoleLayer(role.into())
}

/// What [`require_role`] makes.
#[derive(Clone, Debug)]
pub struct RequireRoleLayer(Arc<str>);

impl<S> Layer<S> for RequireRoleLayer {
    type Service = RequireRoleService<S>;

    fn layer(&self, inner: S) -> RequireRoleService<S> {
        RequireRoleService {
            inner,
            role: Arc::clone(&self.0),
        }
    }
}

/// The service that [`RequireRoleLayer`] makes.
#[derive(Clone, Debug)]
pub struct RequireRoleService<S> {
    inner: S,
    role: Arc<str>,
}

impl<S, B, R> Service<Request<B>> for RequireRoleService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let problem = match request.extensions().get::<Claims>() {
            Some(claims) if claims.has_role(&self.role) => {
                return Box::pin(self.inner.call(request));
            }
            Some(_) => ProblemDocument::role_required(&self.role),
            None => {
                tracing::error!("there is no VerifyLayer above the one that requires a role");
                ProblemDocument::misconfigured()
            }
        };
        Box::pin(ready(Ok(answer(&problem))))
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
