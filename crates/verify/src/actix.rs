//! An extractor for actix-web.
//!
//! ```
//! use actix_web::{App, get, web};
//! use revolve_verify::{Verifier, actix::Identity};
//!
//! #[get("/hello")]
//! async fn hello(identity: Identity) -> String {
//!     format!("Hello {}", identity.user.email)
//! }
//!
//! fn configure(verifier: Verifier) -> impl Fn(&mut web::ServiceConfig) + Clone {
//!     move |config| {
//!         config.app_data(web::Data::new(verifier.clone())).service(hello);
//!     }
//! }
//! # fn main() {}
//! ```

use crate::{
    Claims, Verifier, bearer,
    error::VerifyError,
    problem::{MEDIA_TYPE, Problem},
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    http::{StatusCode, header},
    web::Data,
};
use std::{fmt, ops::Deref, pin::Pin};

/// Whoever sent the request, by a bearer token that is good. Needs a `web::Data<Verifier>` in the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(pub Claims);

impl Deref for Identity {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.0
    }
}

/// The request is answered with a problem document: 401 with `WWW-Authenticate`, or 503 with `Retry-After`.
#[derive(Debug)]
pub struct Refusal {
    problem: Problem,
    source: Option<VerifyError>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem.code)
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response
            .content_type(MEDIA_TYPE)
            .insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(challenge) = self.problem.challenge {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(seconds) = self.problem.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.body(self.problem.body())
    }
}

impl FromRequest for Identity {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Some(verifier) = request.app_data::<Data<Verifier>>() else {
                tracing::error!("there is no web::Data<Verifier> in the application");
                return Err(Refusal {
                    problem: Problem::misconfigured(),
                    source: None,
                });
            };
            let fields = request
                .headers()
                .get_all(header::AUTHORIZATION)
                .map(header::HeaderValue::as_bytes);
            let Some(token) = bearer::token(fields) else {
                return Err(Refusal {
                    problem: Problem::unauthenticated(),
                    source: None,
                });
            };
            let verified = verifier.verify(token).await;
            verified.map(Self).map_err(|error| Refusal {
                problem: Problem::from(&error),
                source: Some(error),
            })
        })
    }
}
