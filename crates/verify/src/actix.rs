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

use crate::{Claims, Verifier, bearer, problem::ProblemDocument};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    http::{StatusCode, header},
    web::Data,
};
use std::{error::Error, fmt, ops::Deref, pin::Pin};

/// The sender of the request, by a good bearer token. Needs a `web::Data<Verifier>` in the application.
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
