//! An extractor for actix-web.
//!
//! ```
//! use actix_web::{App, get, web};
//! use revolve_verify::{Verifier, actix::{Identity, require_role}};
//!
//! #[get("/hello")]
//! async fn hello(identity: Identity) -> String {
//!     format!("Hello {}", identity.user.email)
//! }
//!
//! async fn invoices() -> &'static str {
//!     "…"
//! }
//!
//! fn configure(verifier: Verifier) -> impl Fn(&mut web::ServiceConfig) + Clone {
//!     move |config| {
//!         let invoices = web::resource("/invoices").wrap(require_role("billing:read")).route(web::get().to(invoices));
//!         config.app_data(web::Data::new(verifier.clone())).service(hello).service(invoices);
//!     }
//! }
//! # fn main() {}
//! ```

use crate::{Claims, Verifier, bearer, problem::ProblemDocument};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{StatusCode, header},
    web::Data,
};
use std::{
    error::Error,
    fmt,
    future::{Ready, ready},
    ops::Deref,
    pin::Pin,
    rc::Rc,
    sync::Arc,
};

/// The sender of the request, by a good bearer token. Needs a `web::Data<Verifier>` in the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(pub Claims);

impl Identity {
    /// Goes on only if operators have given the account this role.
    ///
    /// # Errors
    /// [`Rejection`] with 403.
    pub fn require_role(&self, role: &str) -> Result<(), Rejection> {
        if self.has_role(role) {
            Ok(())
        } else {
            Err(Rejection(ProblemDocument::role_required(role)))
        }
    }
}

impl Deref for Identity {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.0
    }
}

/// The request is answered with a problem document: 401 with `WWW-Authenticate`, 403, or 503 with `Retry-After`.
#[derive(Debug)]
pub struct Rejection(ProblemDocument);

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code)
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for field in self.0.fields() {
            response.insert_header(field);
        }
        response.body(self.0.body())
    }
}

impl FromRequest for Identity {
    type Error = Rejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Rejection>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            if let Some(Verified(identity)) = request.extensions().get() {
                return Ok(identity.clone());
            }
            let Some(verifier) = request.app_data::<Data<Verifier>>() else {
                tracing::error!("there is no web::Data<Verifier> in the application");
                return Err(Rejection(ProblemDocument::misconfigured()));
            };
            let fields = request.headers().get_all(header::AUTHORIZATION);
            bearer::identify(verifier, fields.map(header::HeaderValue::as_bytes))
                .await
                .map(Self)
                .map_err(Rejection)
        })
    }
}

/// The identity that a middleware has verified for those that follow.
struct Verified(Identity);

/// Lets only requests through whose account has the role: for `wrap` of an application, a scope or a resource. Others are answered with a
/// [`Rejection`].
pub fn require_role(role: impl Into<Arc<str>>) -> RequireRole {
    RequireRole(role.into())
}

/// What [`require_role`] makes.
#[derive(Clone, Debug)]
pub struct RequireRole(Arc<str>);

impl<S, B> Transform<S, ServiceRequest> for RequireRole
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Transform = RequireRoleService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequireRoleService {
            inner: Rc::new(inner),
            role: Arc::clone(&self.0),
        }))
    }
}

/// The service that [`RequireRole`] makes.
#[derive(Debug)]
pub struct RequireRoleService<S> {
    inner: Rc<S>,
    role: Arc<str>,
}

impl<S, B> Service<ServiceRequest> for RequireRoleService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (inner, role) = (Rc::clone(&self.inner), Arc::clone(&self.role));
        Box::pin(async move {
            let identity = request.extract::<Identity>().await?;
            identity.require_role(&role)?;
            request.extensions_mut().insert(Verified(identity));
            inner.call(request).await
        })
    }
}
