//! The stylesheet. Its URL has the hash of its content, so that browsers keep it for good.

use crate::kit::{
    cached::{cached, content_tag},
    query,
};
use actix_web::{HttpRequest, HttpResponse, web::Bytes};
use std::{sync::LazyLock, time::Duration};

const STYLE: &str = include_str!("style.css");
const KIND: &str = "text/css; charset=utf-8";
const MAX_AGE: Duration = Duration::from_hours(365 * 24);

static URL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}/style.css?v={}",
        super::BASE,
        content_tag(STYLE.as_bytes())
    )
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
