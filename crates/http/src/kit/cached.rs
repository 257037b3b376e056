//! Answers that clients and proxies may keep, and ask for again by their tag.

use crate::kit::sliced::Sliced;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, EntityTag, Header, IfNoneMatch},
    web::Bytes,
};
use std::time::Duration;
use uuid::Uuid;

/// Names a content: 32 hexadecimal digits.
pub(crate) fn content_tag(body: &[u8]) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, body)
        .simple()
        .to_string()
}

/// An answer that may be kept, or 304 if the client has it.
pub(crate) fn cached(
    request: &HttpRequest,
    max_age: Duration,
    kind: &str,
    body: impl Into<Bytes>,
) -> HttpResponse {
    let body = body.into();
    let tag = EntityTag::new_strong(content_tag(&body));
    let has_it = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut answer = if has_it {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer.insert_header((
        header::CACHE_CONTROL,
        format!("public, max-age={}", max_age.as_secs()),
    ));
    answer.insert_header(header::ETag(tag));
    if has_it {
        answer.finish()
    } else {
        answer.content_type(kind).body(Sliced::new(body))
    }
}
