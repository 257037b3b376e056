//! A body as bytes: of the right media type and size, and in time.

use crate::kit::{deadline::Deadline, problem::Problem};
use actix_web::{
    HttpMessage, HttpRequest,
    dev::Payload,
    http::{Method, StatusCode, header},
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::timeout_at;

/// The largest body in bytes.
const LIMIT: usize = 16 * 1024;

/// The longest time for a body to arrive where the request has no deadline.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a body is written in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MediaType {
    /// A JSON object.
    Json,
    /// What browsers make of a form (URL Standard §5).
    Form,
}

impl MediaType {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// Reads a body of the right media type and size. An empty body has no media type, whatever the headers say: many clients name
/// one with every POST.
pub(crate) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    media_type: MediaType,
) -> Result<Bytes, Problem> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > 0) {
        check_media_type(request, media_type)?;
    }
    if announced.is_some_and(|length| length > LIMIT as u64) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    let deadline = Deadline::of(request, PATIENCE);
    while let Some(chunk) = timeout_at(deadline.at, payload.next())
        .await
        .map_err(|_| too_slow(deadline.limit))?
    {
        let chunk = chunk.map_err(|_| incomplete())?;
        if bytes.is_empty() && !chunk.is_empty() {
            check_media_type(request, media_type)?;
        }
        if bytes.len() + chunk.len() > LIMIT {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// What every operation with a form may answer because of the form as a whole.
pub(crate) fn form_problems() -> [Problem; 5] {
    [
        duplicate(),
        incomplete(),
        too_slow(PATIENCE),
        too_large(),
        unsupported(MediaType::Form),
    ]
}

/// What every operation with a body may answer because of the body as a whole.
pub(crate) fn problems() -> [Problem; 7] {
    [
        malformed(1, 12),
        duplicate(),
        too_deep(),
        incomplete(),
        too_slow(PATIENCE),
        too_large(),
        unsupported(MediaType::Json),
    ]
}

pub(super) fn malformed(line: usize, column: usize) -> Problem {
    let detail =
        format!("The body is not valid JSON; reading stopped at line {line}, column {column}.");
    Problem::malformed("malformed_json", detail)
}

pub(in crate::kit) fn duplicate() -> Problem {
    Problem::malformed("duplicate_member", "The body has a member twice.")
}

pub(super) fn too_deep() -> Problem {
    let detail = "Objects and lists are nested too deep in the body.";
    Problem::malformed("nested_too_deep", detail)
}

pub(in crate::kit) fn incomplete() -> Problem {
    Problem::malformed(
        "incomplete_body",
        "The body ended early or could not be read.",
    )
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("The body must have at most {LIMIT} bytes."),
    )
}

fn unsupported(media_type: MediaType) -> Problem {
    let detail = format!(
        "Send the body as `Content-Type: {}`, not compressed.",
        media_type.name()
    );
    let problem = Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        detail,
    );
    match media_type {
        MediaType::Json => problem,
        MediaType::Form => problem.accepting(media_type.name()),
    }
}

fn too_slow(limit: Duration) -> Problem {
    let detail = format!(
        "The request did not arrive within {:.1} seconds.",
        limit.as_secs_f64()
    );
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
}

fn check_media_type(request: &HttpRequest, media_type: MediaType) -> Result<(), Problem> {
    let sent = request.content_type();
    let is_patch = matches!(media_type, MediaType::Json)
        && request.method() == Method::PATCH
        && sent.eq_ignore_ascii_case("application/merge-patch+json");
    let is_right = is_patch || sent.eq_ignore_ascii_case(media_type.name());
    if is_right && !is_encoded(request) {
        return Ok(());
    }
    Err(unsupported(media_type))
}

/// Whether the body is compressed. `identity` says that it is not (RFC 9110 §8.4.1).
fn is_encoded(request: &HttpRequest) -> bool {
    request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}
