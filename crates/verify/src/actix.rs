//! An extractor for actix-web.
//!
//! ```
//! use actix_web::{App, get, web};
//! use revolve_verify::{Verifier, actix::{Identity, require_recent, require_role}};
//! use std::time::Duration;
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
//! async fn pay() -> &'static str {
//!     "…"
//! }
//!
//! fn configure(verifier: Verifier) -> impl Fn(&mut web::ServiceConfig) + Clone {
//!     move |config| {
//!         let invoices = web::resource("/invoices").wrap(require_role("billing:read")).route(web::get().to(invoices));
//!         let payments = web::resource("/payments").wrap(require_recent(Duration::from_mins(5))).route(web::post().to(pay));
//!         config.app_data(web::Data::new(verifier.clone())).service(hello).service(invoices).service(payments);
//!     }
//! }
//! # fn main() {}
//! ```

use crate::{
    Claims, InsufficientAuthentication, RequiredAuthentication, Verifier, bearer,
    problem::ProblemDocument, requirement::Requirement,
};
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
    time::Duration,
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
            Err(ProblemDocument::role_required(role).into())
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
pub struct Rejection(Box<ProblemDocument>);

impl From<ProblemDocument> for Rejection {
    fn from(document: ProblemDocument) -> Self {
        Self(Box::new(document))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code)
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// For handlers that ask [`Verifier::require_authentication`] themselves.
impl From<InsufficientAuthentication> for Rejection {
    fn from(error: InsufficientAuthentication) -> Self {
        ProblemDocument::from(error).into()
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
            let verifier = verifier(&request)?;
            let fields = request.headers().get_all(header::AUTHORIZATION);
            bearer::identify(verifier, fields.map(header::HeaderValue::as_bytes))
                .await
                .map(Self)
                .map_err(Rejection::from)
        })
    }
}

fn verifier(request: &HttpRequest) -> Result<&Verifier, Rejection> {
    let Some(verifier) = request.app_data::<Data<Verifier>>() else {
        tracing::error!("there is no web::Data<Verifier> in the application");
        return Err(ProblemDocument::misconfigured().into());
    };
    Ok(verifier)
}

/// The identity that a middleware has verified for those that follow.
struct Verified(Identity);

/// Lets only requests through whose account has the role: for `wrap` of an application, a scope or a resource. Others are answered with a
/// [`Rejection`].
pub fn require_role(role: impl Into<Box<str>>) -> Require {
    Require(Arc::new(Requirement::Role(role.into())))
}

/// Lets only requests through whose user was authenticated at most so long ago, as [`RequiredAuthentication::recent`] says: for `wrap` of an application,
/// a scope or a resource. Others are answered with a [`Rejection`]: 401 with the challenge of RFC 9470.
pub fn require_recent(max_age: Duration) -> Require {
    require_authentication(RequiredAuthentication::recent(max_age))
}

/// Lets only requests through whose user was authenticated by all of these methods, as [`RequiredAuthentication::by`] says. Others are answered as by
/// [`require_recent`].
///
/// # Panics
/// As [`RequiredAuthentication::by`].
pub fn require_amr(amr: &[&str]) -> Require {
    require_authentication(RequiredAuthentication::by(amr))
}

/// Lets only requests through whose user was authenticated as required, in both respects. Others are answered as by [`require_recent`].
pub fn require_authentication(required: RequiredAuthentication) -> Require {
    Require(Arc::new(Requirement::Authentication(required)))
}

/// What [`require_role`], [`require_recent`], [`require_amr`] and [`require_authentication`] make.
#[derive(Clone, Debug)]
pub struct Require(Arc<Requirement>);

impl<S, B> Transform<S, ServiceRequest> for Require
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Transform = RequireService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequireService {
            inner: Rc::new(inner),
            requirement: Arc::clone(&self.0),
        }))
    }
}

/// The service that [`Require`] makes.
#[derive(Debug)]
pub struct RequireService<S> {
    inner: Rc<S>,
    requirement: Arc<Requirement>,
}

impl<S, B> Service<ServiceRequest> for RequireService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    forward_ready!(inner);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (inner, requirement) = (Rc::clone(&self.inner), Arc::clone(&self.requirement));
        Box::pin(async move {
            let identity = request.extract::<Identity>().await?;
            if let Some(problem) = requirement.refusal(&identity, verifier(request.request())?) {
                return Err(Rejection::from(problem).into());
            }
            request.extensions_mut().insert(Verified(identity));
            inner.call(request).await
        })
    }
}
