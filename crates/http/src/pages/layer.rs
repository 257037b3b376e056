//! What is around the pages: forms are taken from these pages alone, and what goes wrong before or beside a form is a page, too.

use super::{
    BASE, PageSettings,
    texts::Language,
    view::{self, Frame, Link, MessagePage},
};
use crate::kit::{
    origins::Origins,
    problem::{Problem, ProblemCode},
};
use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::Next,
    web::Data,
};

/// What a page may load and where its form goes: the stylesheet and the logo, and here (CSP 3).
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for a page with passkeys: the module, and the challenges that it asks for.
pub(crate) const POLICY_WITH_PASSKEYS: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A policy for a page whose form leads on to another origin.
pub(super) fn policy(policy: &str, origin: &str) -> String {
    policy.replace(
        "form-action 'self'",
        &format!("form-action 'self' {origin}"),
    )
}

/// The layer.
pub(crate) async fn layer(
    settings: Data<PageSettings>,
    origins: Origins,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let language = Language::of(&request);
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = if is_safe || origins.is_own(request.headers()) {
        next.call(request).await?.map_into_boxed_body()
    } else {
        // What was sent instead is a stranger's to choose.
        tracing::info!(
            expected = origins.own(),
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
    let frame = Frame::new(language, settings).failed();
    let next = Link::new(BASE, frame.texts.account);
    let view = MessagePage::new(frame, message, Some(next));
    let page = view::page(response, &view).unwrap_or_else(|problem| problem.error_response());
    ServiceResponse::new(request, page)
}
