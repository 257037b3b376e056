//! Which scripts of other origins may use the API from a browser: those of the origins that the operator lists, and no others.
//! What is published for everyone can be read from any origin.

use crate::kit::{
    caller::{DEVICE_HEADER, REAUTHENTICATION_HEADER},
    origins::Origins,
    request_id::REQUEST_ID,
    token_mode::TOKENS_HEADER,
};
use actix_cors::Cors;
use actix_web::{
    http::{Method, header},
    middleware::{Condition, DefaultHeaders},
};

/// How long a browser may remember what it was allowed, in seconds. Most allow no more.
const REMEMBERED: usize = 3600;

/// What tracing libraries add to every request (W3C Trace Context, W3C Baggage).
const TRACING: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// The layer that answers preflights and marks answers; without origins there is none, and browsers share nothing. Credentials
/// are allowed, for the cookies, since no origin is allowed but those that are listed.
pub(crate) fn shared_with(origins: &Origins) -> Condition<Cors> {
    let cors = origins
        .listed()
        .iter()
        .fold(Cors::default(), |cors, origin| cors.allowed_origin(origin));
    let cors = cors
        .allowed_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::DELETE,
        ])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .allowed_headers([DEVICE_HEADER, REAUTHENTICATION_HEADER, TOKENS_HEADER])
        .supports_credentials();
    Condition::new(!origins.listed().is_empty(), common(cors))
}

/// The layer that answers preflights for what is published for everyone. Only with [`readable_by_all`] around it can scripts
/// read the answers.
pub(crate) fn published() -> Cors {
    let cors = Cors::default()
        .allow_any_origin()
        .send_wildcard()
        // The answers are the same for all origins.
        .disable_vary_header()
        .allowed_methods([Method::GET, Method::HEAD]);
    common(cors)
}

/// Marks every answer as readable from any origin, also that to a request which names none: a cache may hand it to a script.
pub(crate) fn readable_by_all() -> DefaultHeaders {
    DefaultHeaders::new().add((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
}

/// What holds for both.
fn common(cors: Cors) -> Cors {
    cors.allowed_headers([header::IF_NONE_MATCH, REQUEST_ID])
        .allowed_headers(TRACING)
        .expose_headers([
            // Clients reckon by the service's clock.
            "Date",
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "WWW-Authenticate",
            "ETag",
            REQUEST_ID.as_str(),
        ])
        .max_age(REMEMBERED)
}
