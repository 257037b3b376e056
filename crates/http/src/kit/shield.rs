//! The outer layer of everything that is served: requests that are too large in their head are refused before anything
//! else reads them, and the headers of every answer forbid browsers all but to hand it to the script that asked. A handler that
//! sets one of the headers
//! itself wins. Streams are given a form that every client can read.

use crate::kit::problem::Problem;
use actix_cors::CorsError;
use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    body::{self, BodySize, BoxBody, EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        ConnectionType, Method, StatusCode, Version,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use futures_util::future::LocalBoxFuture;
use std::{
    future::{Ready, ready},
    rc::Rc,
};

/// The longest path with its query, in bytes.
const URI_LIMIT: usize = 8 * 1024;
/// All header lines together, in bytes: an ID token with all that an account may have, and other headers.
const HEADER_LIMIT: usize = 24 * 1024;
/// The number of header lines.
const HEADER_COUNT: usize = 64;

/// The largest head as it comes, in bytes: path, headers, and what is around them. Listeners need not read more of it.
pub const HEAD_LIMIT: usize = URI_LIMIT + HEADER_LIMIT + 1024;

/// Where other origins fetch what is published for them.
const PUBLISHED: &str = "/.well-known/";

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct Shield {
    /// Whether answers have `Strict-Transport-Security`, for a year.
    pub https_only: bool,
}

impl Shield {
    /// Sets the headers on an answer to a request for this path.
    pub(crate) fn cover(self, path: PathKind, headers: &mut HeaderMap) {
        let mut set = |name: HeaderName, value: &'static str| {
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        };
        set(header::CACHE_CONTROL, "no-store");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        );
        set(header::REFERRER_POLICY, "no-referrer");
        let reader = if matches!(path, PathKind::Published) {
            "cross-origin"
        } else {
            "same-origin"
        };
        set(header::CROSS_ORIGIN_RESOURCE_POLICY, reader);
        if self.https_only {
            set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
    }
}

/// Which readers the content of a path is meant for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PathKind {
    Published,
    Own,
}

impl PathKind {
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with(PUBLISHED) {
            Self::Published
        } else {
            Self::Own
        }
    }
}

/// Says that a request has come through the layer already: a mounted service has it around its own routes, too.
struct Covered;

/// What the request's head is refused for, if it is.
fn too_large(request: &ServiceRequest) -> Option<Problem> {
    let uri = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if uri > URI_LIMIT {
        let detail = format!("The path with its query must have at most {URI_LIMIT} bytes.");
        return Some(Problem::new(
            StatusCode::URI_TOO_LONG,
            "uri_too_long",
            detail,
        ));
    }
    let headers = request.headers();
    // With the colon, the space and the line's end.
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let count = headers.iter().count();
    if bytes > HEADER_LIMIT || count > HEADER_COUNT {
        let detail =
            format!("The headers must have at most {HEADER_COUNT} lines and {HEADER_LIMIT} bytes.");
        return Some(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
            detail,
        ));
    }
    None
}

/// The answer to a browser whose script is not allowed to make the request.
fn refused(error: &CorsError) -> HttpResponse {
    let detail = match error {
        CorsError::HeadersNotAllowed | CorsError::BadRequestHeaders => {
            "Scripts of other origins may not send these headers."
        }
        CorsError::MethodNotAllowed | CorsError::BadRequestMethod => {
            "Scripts of other origins may not use this method."
        }
        _ => "Scripts of this origin may not use this service; its operator lists those that may.",
    };
    let mut response = Problem::new(StatusCode::FORBIDDEN, "cors_refused", detail).error_response();
    let vary = HeaderValue::from_static(
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    );
    response.headers_mut().insert(header::VARY, vary);
    response
}

/// A stream in a form that the client can read: one of HTTP/1.0 knows no chunks, so that its end is that of the connection
/// (RFC 9112 §6.3); to HEAD it would be written for ever and never seen.
fn framed<B: MessageBody>(
    mut answer: ServiceResponse<EitherBody<B>>,
) -> ServiceResponse<EitherBody<B>> {
    if answer.request().method() == Method::HEAD {
        let nothing = BoxBody::new(body::None::new());
        return answer.map_body(|_, _| EitherBody::Right { body: nothing });
    }
    if answer.request().version() < Version::HTTP_11 {
        let head = answer.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    answer
}

impl<S, B> Transform<S, ServiceRequest> for Shield
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Shielded<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(Shielded {
            shield: *self,
            inner: Rc::new(inner),
        }))
    }
}

/// What is behind the layer.
pub struct Shielded<S> {
    shield: Shield,
    inner: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for Shielded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (shield, inner) = (self.shield, Rc::clone(&self.inner));
        Box::pin(async move {
            if request.extensions_mut().insert(Covered).is_some() {
                return Ok(inner.call(request).await?.map_into_left_body());
            }
            let path = PathKind::of(request.path());
            let mut answer = match too_large(&request) {
                Some(problem) => request
                    .into_response(problem.error_response())
                    .map_into_right_body(),
                None => inner.call(request).await?.map_into_left_body(),
            };
            let error = answer
                .response()
                .error()
                .and_then(|error| error.as_error::<CorsError>());
            if let Some(response) = error.map(refused) {
                answer = answer.into_response(response.map_into_right_body());
            }
            shield.cover(path, answer.headers_mut());
            Ok(
                if matches!(answer.response().body().size(), BodySize::Stream) {
                    framed(answer)
                } else {
                    answer
                },
            )
        })
    }
}
