//! A request for a page, or of its form, and what all pages answer with.

use super::{
    BASE, PageSettings, codes,
    form::{Form, RETURN_TO},
    layer,
    settings::Destination,
    texts::Language,
    view::{self, Frame},
};
use crate::kit::{
    caller::RequestClient, origins::FrontEnd, problem::Problem, query, token_cookie::TokenCookie,
    use_case::UseCase,
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    cookie::Cookie,
    dev::Payload,
    http::{
        Method,
        header::{self, HeaderValue},
    },
    web::Data,
};
use askama::Template;
use revolve_domain::{
    policy::PasswordPolicy,
    use_cases::{Authenticate, Begun, Refresh},
};
use revolve_observe::telemetry::identify;
use std::{
    borrow::Cow,
    future::{Ready, ready},
};
use url::form_urlencoded;

/// What the query of a page has once its form was carried out.
pub(super) const DONE: &str = "done";

/// What it has when a browser was sent to the same page again.
const AGAIN: &str = "again=1";

/// A request for a page, or of its form.
pub(crate) struct PageRequest {
    pub(super) caller: RequestClient,
    /// The one that its reader prefers, unless an account says more.
    pub(super) language: Language,
    pub(super) settings: Data<PageSettings>,
    /// The fewest characters of a password.
    pub(super) min_length: usize,
    /// What the browser keeps of its session.
    pub(super) tokens: TokenCookie,
    pub(super) id: TokenCookie,
    pub(super) reauthentication: TokenCookie,
    pub(super) authenticate: UseCase<Authenticate>,
    pub(super) refresh: UseCase<Refresh>,
    request: HttpRequest,
}

impl FromRequest for PageRequest {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Self::of(request, payload))
    }
}

/// The composition root forgot something.
#[derive(Debug, thiserror::Error)]
#[error("the settings of pages are not registered")]
struct NotRegistered;

impl PageRequest {
    fn of(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let settings = request.app_data::<Data<PageSettings>>();
        let policy = request.app_data::<Data<PasswordPolicy>>();
        let (Some(settings), Some(policy)) = (settings, policy) else {
            return Err(Problem::internal(&NotRegistered));
        };
        Ok(Self {
            caller: RequestClient::from_request(request, payload).into_inner()?,
            language: Language::of(request),
            settings: settings.clone(),
            min_length: policy.min_length,
            tokens: TokenCookie::of(request, FrontEnd::Own),
            id: TokenCookie::id(request),
            reauthentication: TokenCookie::reauthentication(request),
            authenticate: UseCase::from_request(request, payload).into_inner()?,
            refresh: UseCase::from_request(request, payload).into_inner()?,
            request: request.clone(),
        })
    }

    pub(super) fn path(&self) -> &str {
        self.request.path()
    }

    /// Whether it is a form, of any page.
    pub(super) fn is_form(&self) -> bool {
        self.request.method() == Method::POST
    }

    /// Whether it is the form of a page, by the page's path below [`BASE`].
    pub(super) fn is_form_of(&self, page: &str) -> bool {
        self.is_form() && self.path().strip_prefix(BASE) == Some(page)
    }

    /// The query as it stands in the URL.
    pub(super) fn query(&self) -> &str {
        self.request.query_string()
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut found = form_urlencoded::parse(self.query().as_bytes());
        found.find_map(|(found, value)| (found == name).then_some(value))
    }

    /// Whether the page is to say that its form was carried out.
    pub(super) fn is_done(&self) -> bool {
        self.query().split('&').any(|part| part == DONE)
    }

    /// Whether the browser has been sent here by this page itself.
    pub(super) fn is_again(&self) -> bool {
        query::parameter(AGAIN, "again") == query::parameter(self.query(), "again")
    }

    /// The same page, with a mark: a browser is sent there once.
    pub(super) fn once_more(&self) -> String {
        match self.query() {
            "" => format!("{}?{AGAIN}", self.path()),
            query => format!("{}?{query}&{AGAIN}", self.path()),
        }
    }

    /// Where a link from another site has led, whose request browsers send without the cookies of this one.
    pub(super) fn is_from_another_site(&self) -> bool {
        let site = self.request.headers().get("sec-fetch-site");
        let has_cookie = self.tokens.token().is_some() || self.id.token().is_some();
        self.request.method() == Method::GET
            && site.is_some_and(|site| site == "cross-site")
            && !has_cookie
            && !self.is_again()
    }

    /// Where the reader of a page wants to go on to, by its URL.
    pub(super) fn destination(&self) -> Option<Destination> {
        self.settings.destination(&self.parameter(RETURN_TO)?)
    }

    /// The same by its form.
    pub(super) fn destination_of(&self, form: &Form) -> Option<Destination> {
        self.settings.destination(form.get(RETURN_TO)?)
    }

    /// A page that leads to the same page. What a link from another site opens has no cookies of this one; what this page opens has.
    pub(super) fn hop(&self) -> Result<HttpResponse, Problem> {
        let view = HopPage {
            frame: self.frame(),
            target: self.once_more(),
        };
        view::page(HttpResponse::Ok().finish(), &view)
    }

    /// What is around a page for those who are not signed in.
    pub(super) fn frame(&self) -> Frame<'_> {
        Frame::new(self.language, &self.settings)
    }

    /// What a form gets that has begun a session: what it wanted, or first the recovery codes of a new account.
    pub(super) fn begun(&self, begun: &Begun, to: &str) -> Result<HttpResponse, Problem> {
        // No token was shown that would have identified the session in the log.
        identify(begun.session.user, begun.session.id);
        let mut cookies = self.caller.device_cookies(&begun.device);
        cookies.extend(self.kept(&begun.tokens));
        let answer = match &begun.recovery_codes {
            Some(codes) => codes::page(self.frame(), self.language, codes, to)?,
            None => see(to),
        };
        with_cookies(answer, &cookies)
    }
}

/// A page that leads on by itself.
#[derive(Template)]
#[template(path = "hop.html")]
struct HopPage<'a> {
    frame: Frame<'a>,
    target: String,
}

/// 303: the answer to a form is another page, so that to reload it sends nothing again (RFC 9110 §15.4.4).
pub(super) fn see(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .finish()
}

/// 307: the same request once more.
pub(super) fn repeat(to: &str) -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, to))
        .finish()
}

/// Sets cookies.
pub(super) fn with_cookies(
    mut answer: HttpResponse,
    cookies: &[Cookie<'_>],
) -> Result<HttpResponse, Problem> {
    for cookie in cookies {
        let added = answer.add_cookie(cookie);
        added.map_err(|error| Problem::internal(&error))?;
    }
    Ok(answer)
}

/// A page below [`BASE`], with where to go on to from there.
pub(super) fn page_url(page: &str, on: Option<&Destination>) -> String {
    match on {
        Some(on) => format!("{BASE}{page}?{}", on.parameter()),
        None => format!("{BASE}{page}"),
    }
}

/// Lets the form of a page lead to another service: browsers hold the redirects of a form to what the page's policy names.
pub(super) fn leading_to(mut answer: HttpResponse, on: Option<&Destination>) -> HttpResponse {
    let headers = answer.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|policy| policy.to_str().ok());
    let policy = policy.unwrap_or(layer::POLICY);
    let policy = on
        .and_then(Destination::foreign_origin)
        .and_then(|origin| HeaderValue::try_from(layer::policy(policy, origin)).ok());
    if let Some(policy) = policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}
