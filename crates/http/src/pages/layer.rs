//! What is around the pages: forms are taken from these pages alone, and what goes wrong before or beside a form is a page, too.

use super::{
    PageSettings,
    texts::Language,
    view::{self, Frame, MessageView},
};
use crate::kit::problem::{Problem, ProblemCode};
use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderMap, ORIGIN},
    },
    middleware::Next,
    web::Data,
};

/// What a page may load and where its form goes: the stylesheet, and here (CSP 3).
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The layer.
pub(crate) async fn layer(
    settings: Data<PageSettings>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let language = Language::of(&request);
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = if is_safe || is_from_here(request.headers(), &settings.origin) {
        next.call(request).await?.map_into_boxed_body()
    } else {
        // What was sent instead is a stranger's to choose.
        tracing::info!(
            expected = settings.origin,
            "refused a form from another origin"
        );
        request.into_response(foreign().error_response())
    };
    Ok(as_page(answer, language, &settings))
}

/// 403: another site has sent the form.
fn foreign() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "csrf_refused",
        "Forms are taken from the pages of this service only.",
    )
}

/// Whether a form was sent from a page of this service. Pages send no referrer, and browsers then send `null` as the origin (Fetch Standard,
/// "append a request `Origin` header"): then `Sec-Fetch-Site` decides, which no script can forge.
fn is_from_here(headers: &HeaderMap, origin: &str) -> bool {
    match headers.get(ORIGIN) {
        Some(sent) if sent != "null" => sent == origin,
        _ => headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "same-origin"),
    }
}

/// A problem document as a page. Its status and headers stay.
fn as_page(
    answer: ServiceResponse<BoxBody>,
    language: Language,
    settings: &PageSettings,
) -> ServiceResponse<BoxBody> {
    let is_page = answer
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind != "application/problem+json");
    let code = answer.response().extensions().get::<ProblemCode>().copied();
    let Some(ProblemCode(code)) = code.filter(|_| !is_page) else {
        return answer;
    };
    let (request, response) = answer.into_parts();
    let message = language.texts().problem(code, response.status().as_u16());
    let frame = Frame::new(language, &settings.name).failed();
    let view = MessageView::new(frame, message);
    let page = view::page(response, &view).unwrap_or_else(|problem| problem.error_response());
    ServiceResponse::new(request, page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    #[test]
    fn a_form_is_taken_from_this_origin_alone() {
        let own = "https://accounts.example.org";
        let is_taken = |origin: Option<&'static str>, site: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            let sent = [("origin", origin), ("sec-fetch-site", site)];
            for (name, value) in sent {
                if let Some(value) = value {
                    let value = HeaderValue::from_static(value);
                    headers.insert(HeaderName::from_static(name), value);
                }
            }
            is_from_here(&headers, own)
        };
        for (origin, site) in [
            (Some(own), None),
            (Some(own), Some("same-origin")),
            (Some("null"), Some("same-origin")),
            (None, Some("same-origin")),
        ] {
            assert!(is_taken(origin, site), "{origin:?} {site:?}");
        }
        let sites = [None, Some("same-site"), Some("cross-site"), Some("none")];
        for origin in [None, Some("null")] {
            for site in sites {
                assert!(!is_taken(origin, site), "{origin:?} {site:?}");
            }
        }
        for origin in [
            "https://evil.example",
            "https://app.example.org",
            "http://accounts.example.org",
            "https://accounts.example.org:8443",
            "https://accounts.example.org.evil.example",
            "",
        ] {
            for site in [None, Some("same-origin"), Some("same-site")] {
                assert!(!is_taken(Some(origin), site), "{origin} {site:?}");
            }
        }
    }
}
