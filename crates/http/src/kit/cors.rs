//! Which scripts of other origins may use the API from a browser: those of the origins that the operator lists, and nobody else.

use actix_cors::Cors;
use actix_web::{
    http::{Method, header},
    middleware::Condition,
};
use std::sync::Arc;

/// How long a browser may remember what it was allowed, in seconds. Most allow no more.
const REMEMBERED: usize = 3600;

/// The origins that are allowed, exactly.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// A list of origins as browsers send them.
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins.into())
    }

    /// The layer that answers preflights and marks answers; without origins there is none, and browsers share nothing. Credentials
    /// are allowed, for the device cookie, since no origin is allowed but those that are listed.
    pub(crate) fn layer(&self) -> Condition<Cors> {
        let cors = self
            .0
            .iter()
            .fold(Cors::default(), |cors, origin| cors.allowed_origin(origin));
        let cors = cors
            .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allowed_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_NONE_MATCH,
            ])
            .allowed_header(crate::kit::caller::DEVICE_HEADER)
            .expose_headers([
                "Retry-After",
                "RateLimit",
                "RateLimit-Policy",
                "WWW-Authenticate",
                "ETag",
            ])
            .supports_credentials()
            .max_age(REMEMBERED);
        Condition::new(!self.0.is_empty(), cors)
    }
}
