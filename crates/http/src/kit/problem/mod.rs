//! Problem documents (RFC 9457): the one place where an outcome becomes an HTTP error.

mod codes;
mod error_form;
mod second_step;

pub(crate) use error_form::{ErrorForm, OAuthError};

#[cfg(test)]
pub(crate) use codes::FIELD_CODES;

use crate::kit::{rate_limit, request_id::RequestId};
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    cookie::Cookie,
    http::{StatusCode, header},
};
use revolve_domain::{
    model::{ApiKeyScope, ChallengeId, FactorKind, FieldError},
    ports::{StoreError, StoreErrorKind},
    use_cases::{Failure, Limited, Refusal, Refused},
};
use revolve_observe::telemetry::chain;
use second_step::StepDevice;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::{borrow::Cow, error::Error, fmt, num::NonZero, time::Duration};
use utoipa::ToSchema;
use uuid::uuid;

/// The most field errors that are named: an answer must not be larger than its request gives reason for.
const NAMED_FIELDS: usize = 32;

/// When a client may try again if a store is down.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An error as the client sees it. It never echoes what the client sent in a secret field.
pub struct Problem(Box<Document>);

/// Why a request was not carried out (RFC 9457). Nothing was changed by a 4xx but `factor_required`.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// `urn:revolve:problem:` and the code.
    #[schema(format = "uri")]
    r#type: String,
    /// What the status means.
    #[schema(value_type = String)]
    title: &'static str,
    /// The status once more.
    #[serde(serialize_with = "status_number")]
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    status: StatusCode,
    /// What happened, for programs: stable.
    #[schema(value_type = String, pattern = "^[a-z][a-z0-9_]*$")]
    code: &'static str,
    /// What happened, for people: may change.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1, max_items = 32)]
    errors: Vec<FieldProblem>,
    /// How many more errors there are that `errors` does not name.
    #[serde(rename = "moreErrors", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<usize>, minimum = 1, nullable = false)]
    more_errors: Option<NonZero<usize>>,
    /// How many codes can still be tried.
    #[serde(rename = "attemptsLeft", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, maximum = 4, nullable = false)]
    attempts_left: Option<u32>,
    /// What a factor has to answer, at `POST /signin/factor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid", nullable = false)]
    challenge: Option<ChallengeId>,
    /// The kinds of factor that can be shown, in the order in which to offer them.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "second_step::names"
    )]
    #[schema(value_type = Vec<String>, schema_with = second_step::kinds, required = false)]
    factors: Vec<FactorKind>,
    /// The seconds until the challenge can't be used any more.
    #[serde(rename = "expiresIn", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_in: Option<u64>,
    /// Where a passkey can be shown, what the browser is asked with: `PublicKeyCredentialRequestOptionsJSON` (WebAuthn).
    #[serde(rename = "publicKey", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    public_key: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    device: Option<StepDevice>,
    /// The scope that the key lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    scope: Option<&'static str>,
    /// What to name when you report a 500.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f-]{32,36}$", nullable = false)]
    request_id: Option<RequestId>,
    #[serde(skip)]
    allow: Option<String>,
    #[serde(skip)]
    accept: Option<&'static str>,
    #[serde(skip)]
    authenticate: Authenticate,
    #[serde(skip)]
    cookies: Vec<Cookie<'static>>,
    #[serde(skip)]
    retry_after: Duration,
    #[serde(skip)]
    limited: Option<Limited>,
}

/// What `WWW-Authenticate` says on a 401, and on a 403 for a scope (RFC 6750 §3).
#[derive(Clone, Copy, Debug)]
enum Authenticate {
    /// How to authenticate: no token was sent.
    Bearer,
    /// The token that was sent is refused, with the code as `error_description`.
    InvalidToken,
}

/// The panic's message is left out: it may hold anything.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
pub(crate) struct Panicked;

/// The problem's code, for middleware that sees only the response.
#[derive(Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// The member of the body, or the parameter.
    pub(crate) field: String,
    /// What is wrong, for programs: stable.
    #[schema(schema_with = codes::field_code)]
    pub(crate) code: &'static str,
    /// What is wrong, for people: may change.
    pub(crate) detail: String,
}

impl FieldProblem {
    pub(crate) fn new(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            code,
            detail: detail.into(),
        }
    }

    pub(crate) fn invalid(field: &str, error: FieldError) -> Self {
        Self::new(field, error.code(), error.to_string())
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn status_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Document {
            r#type: format!("urn:revolve:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            more_errors: None,
            attempts_left: None,
            challenge: None,
            factors: Vec::new(),
            expires_in: None,
            public_key: None,
            device: None,
            scope: None,
            request_id: None,
            allow: None,
            accept: None,
            authenticate: Authenticate::InvalidToken,
            cookies: Vec::new(),
            retry_after: RETRY_AFTER,
            limited: None,
        }))
    }

    /// 400: not what the protocol asks for.
    pub(crate) fn malformed(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 422: well-formed, but with fields that can't be.
    pub(crate) fn fields(mut errors: Vec<FieldProblem>) -> Self {
        let detail = "Some fields are not valid; `errors` says which and why.";
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", detail);
        problem.0.more_errors = NonZero::new(errors.len().saturating_sub(NAMED_FIELDS));
        errors.truncate(NAMED_FIELDS);
        problem.0.errors = errors;
        problem
    }

    /// 422: the code is another one.
    pub(crate) fn wrong_code(attempts_left: u32) -> Self {
        let mut problem =
            Self::code_wrong("The code is wrong; `attemptsLeft` says how many more can be tried.");
        problem.0.attempts_left = Some(attempts_left);
        problem
    }

    /// The same where no number of attempts is told.
    pub(crate) fn wrong_factor_code() -> Self {
        Self::code_wrong("The code is wrong.")
    }

    fn code_wrong(detail: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "code_wrong", detail)
    }

    /// 422: the code is right, and has counted before.
    pub(crate) fn code_used(attempts_left: Option<u32>) -> Self {
        let detail = "The code was used before, and counts once; wait for the next one.";
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "code_used", detail);
        problem.0.attempts_left = attempts_left;
        problem
    }

    /// 404.
    pub(crate) fn not_found(detail: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405 with the methods that are allowed.
    pub(crate) fn method_not_allowed(allow: impl Into<String>) -> Self {
        let detail = "This resource does not have that method; `Allow` names those that it has.";
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        problem.0.allow = Some(allow.into());
        problem
    }

    /// Names the media type that a POST must have (Linked Data Platform 1.0 §7.1).
    pub(crate) fn accepting(mut self, media_type: &'static str) -> Self {
        self.0.accept = Some(media_type);
        self
    }

    /// 403: the password or a factor has to be shown first.
    pub(crate) fn reauthentication_required() -> Self {
        let detail = "This needs `Revolve-Reauthentication`: show the password or a factor at `POST /reauthenticate`.";
        Self::new(StatusCode::FORBIDDEN, "reauthentication_required", detail)
    }

    /// 401 because there is no bearer token.
    pub(crate) fn unauthenticated() -> Self {
        Self::without_token(
            "unauthenticated",
            "Send an ID token: `Authorization: Bearer …`.",
        )
    }

    /// 401 where no token was sent.
    pub(crate) fn without_token(code: &'static str, detail: &'static str) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, code, detail);
        problem.0.authenticate = Authenticate::Bearer;
        problem
    }

    /// 403: the key may do other things only.
    pub(crate) fn scope_missing(scope: ApiKeyScope) -> Self {
        let detail = "The key may not do this: it lacks the scope that `scope` names.";
        let mut problem = Self::new(StatusCode::FORBIDDEN, "scope_missing", detail);
        problem.0.scope = Some(scope.as_str());
        problem
    }

    /// 503: the client keeps what it has and tries again.
    fn unavailable(error: &StoreError) -> Self {
        let request_id = RequestId::current();
        if error.retry_hint().is_some() {
            // Under a flood there would be a line for each.
            tracing::debug!(%request_id, error = %chain(error), "turned away");
        } else {
            tracing::warn!(%request_id, error = %chain(error), "a dependency is not available");
        }
        let mut problem = Self::try_again();
        problem.0.retry_after = error.retry_hint().unwrap_or(RETRY_AFTER);
        problem
    }

    /// What a client is told when a dependency is not available.
    pub(crate) fn try_again() -> Self {
        let detail = "The service can't do this right now. Keep what you have and try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// 500: a bug. The client gets the request's id to report, the log gets the rest.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        let id = RequestId::current();
        tracing::error!(request_id = %id, error = %chain(error), "internal error");
        Self::with_id(id)
    }

    /// A 500 as the documentation shows it.
    pub(crate) fn example_internal() -> Self {
        Self::with_id(uuid!("019a7c10-3b5e-7c1d-9f60-2a4b8c6d0e12").into())
    }

    fn with_id(id: RequestId) -> Self {
        let mut problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong here. Report the request id.",
        );
        problem.0.request_id = Some(id);
        problem
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What is wrong with which field.
    pub(crate) fn field_errors(&self) -> &[FieldProblem] {
        &self.0.errors
    }

    /// How many codes can still be tried, if one was wrong.
    pub(crate) fn attempts_left(&self) -> Option<u32> {
        self.0.attempts_left
    }

    /// The time until another try may succeed, if there was one too many.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.limited.as_ref().map(|limited| limited.retry_after)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Without what a client shows in the second step.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = &*self.0;
        f.debug_struct("Problem")
            .field("status", &document.status)
            .field("code", &document.code)
            .field("detail", &document.detail)
            .field("errors", &document.errors)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status, self.0.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let document = &*self.0;
        let mut response = HttpResponseBuilder::new(document.status);
        response.content_type("application/problem+json");
        if let Some(allow) = &document.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if let Some(media_type) = document.accept {
            response.insert_header(("Accept-Post", media_type));
        }
        if let Some(limited) = &document.limited {
            response.insert_header((
                header::RETRY_AFTER,
                rate_limit::seconds(limited.retry_after),
            ));
            response.insert_header((rate_limit::LEVEL, rate_limit::nothing_left(limited)));
        }
        match document.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((header::RETRY_AFTER, whole_seconds(document.retry_after)));
            }
            StatusCode::UNAUTHORIZED => {
                let challenge = match document.authenticate {
                    Authenticate::Bearer => "Bearer realm=\"revolve\"".to_owned(),
                    Authenticate::InvalidToken => format!(
                        "Bearer realm=\"revolve\", error=\"invalid_token\", error_description=\"{}\"",
                        document.code
                    ),
                };
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            StatusCode::FORBIDDEN => {
                if let Some(scope) = document.scope {
                    let challenge = format!(
                        "Bearer realm=\"revolve\", error=\"insufficient_scope\", scope=\"{scope}\""
                    );
                    response.insert_header((header::WWW_AUTHENTICATE, challenge));
                }
            }
            _ => {}
        }
        for cookie in &document.cookies {
            response.cookie(cookie.clone());
        }
        let mut response = response.json(document);
        response.extensions_mut().insert(ProblemCode(document.code));
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, refusal.code(), refusal.message())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::Unavailable => Self::unavailable(&error),
            StoreErrorKind::Broken => Self::internal(&error),
        }
    }
}

/// 429 (RFC 6585 §4): the client keeps what it has and tries again then.
impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        let detail = "There were too many attempts. Keep what you have and try again after `Retry-After` seconds.";
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        problem.0.limited = Some(limited);
        problem
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error.into(),
            failure => Self::internal(&failure),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Token(refusal) => refusal.into(),
            Refused::Limited(limited) => limited.into(),
            Refused::FactorSetUpRequired => Self::factor_setup_required(),
            Refused::Failed(failure) => failure.into(),
        }
    }
}

/// Rounded up, at least one (RFC 9110 §10.2.3 knows no fractions).
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
        .max(1)
}
