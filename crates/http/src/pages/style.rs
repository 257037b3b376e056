//! The stylesheet. Its URL has the hash of its content, so that browsers keep it for good.

use crate::kit::{cached::cached, query};
use actix_web::{HttpRequest, HttpResponse, web::Bytes};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, sync::LazyLock, time::Duration};

const STYLE: &str = include_str!("style.css");
const KIND: &str = "text/css; charset=utf-8";
const MAX_AGE: Duration = Duration::from_hours(365 * 24);

static URL: LazyLock<String> = LazyLock::new(|| {
    let mut url = format!("{}/style.css?v=", super::BASE);
    for byte in &Sha256::digest(STYLE)[..8] {
        // Writing to a string does not fail.
        let _ = write!(url, "{byte:02x}");
    }
    url
});

/// Where it is.
pub(super) fn url() -> &'static str {
    &URL
}

/// `GET /style.css`
pub(crate) async fn style(request: HttpRequest) -> HttpResponse {
    let style = Bytes::from_static(STYLE.as_bytes());
    let version = query::parameter(request.query_string(), "v");
    let is_this = version.is_some_and(|version| url().ends_with(&format!("={version}")));
    if is_this {
        cached(&request, MAX_AGE, KIND, style)
    } else {
        // During a rolling update another version's page asks for it: what it gets must not be kept as that version's.
        HttpResponse::Ok().content_type(KIND).body(style)
    }
}
