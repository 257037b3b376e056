//! Problem documents (RFC 9457): the one place where an outcome becomes an HTTP error.

mod codes;

#[cfg(test)]
pub(super) use codes::FIELD_CODES;

use super::{rate_limit, watch::RequestId};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError, http::StatusCode, http::header};
use revolve_domain::{
    model::FieldError,
    ports::{StoreError, StoreErrorKind},
    use_cases::{
        ChangePasswordError, DeleteAccountError, EndSessionError, Failure, Limited, Refusal,
        Refused, SignInError, SignUpError, UpdateDetailsError,
    },
};
use serde::{Serialize, Serializer};
use std::{borrow::Cow, error::Error, fmt, time::Duration};
use utoipa::ToSchema;
use uuid::uuid;

/// After so long a client may try again when a store is down.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An error as the client sees it. It never echoes what the client sent in a secret field.
#[derive(Debug)]
pub(crate) struct Problem(Box<Document>);

/// Why a request was not carried out (RFC 9457). Nothing was changed by a 4xx.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document {
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
    #[schema(required = false, min_items = 1)]
    errors: Vec<FieldProblem>,
    /// What to name when you report a 500.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f-]{32,36}$", nullable = false)]
    request_id: Option<RequestId>,
    #[serde(skip)]
    allow: Option<&'static str>,
    #[serde(skip)]
    retry_after: Duration,
    #[serde(skip)]
    limited: Option<Limited>,
}

/// The code, on the answer: for those who see no more than that.
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
            request_id: None,
            allow: None,
            retry_after: RETRY_AFTER,
            limited: None,
        }))
    }

    /// 400: not what the protocol asks for.
    pub(crate) fn malformed(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 422: well-formed, but with fields that can't be.
    pub(crate) fn fields(errors: Vec<FieldProblem>) -> Self {
        let detail = "Some fields are not valid; `errors` says which and why.";
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", detail);
        problem.0.errors = errors;
        problem
    }

    /// 404.
    pub(crate) fn not_found(detail: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405 with the methods that are allowed.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let detail = "This resource does not have that method; `Allow` names those that it has.";
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        problem.0.allow = Some(allow);
        problem
    }

    /// 401 because there is no bearer token.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Send an ID token: `Authorization: Bearer …`.",
        )
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
    pub(super) fn try_again() -> Self {
        let detail = "The service can't do this right now. Keep what you have and try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// 500: a bug. The client gets the request's id to report, the log gets the rest.
    pub(crate) fn internal(error: &(dyn Error + 'static)) -> Self {
        let id = RequestId::current();
        tracing::error!(request_id = %id, error = %chain(error), "internal error");
        Self::with_id(id)
    }

    /// A 500 as the documentation shows it.
    pub(super) fn example_internal() -> Self {
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
    pub(super) fn code(&self) -> &'static str {
        self.0.code
    }

    /// The status.
    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
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
        if let Some(allow) = document.allow {
            response.insert_header((header::ALLOW, allow));
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
            // RFC 6750 §3: an error is named only if a token was sent.
            StatusCode::UNAUTHORIZED
                if matches!(document.code, "unauthenticated" | "invalid_credentials") =>
            {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"revolve\""));
            }
            StatusCode::UNAUTHORIZED => {
                let challenge = format!(
                    "Bearer realm=\"revolve\", error=\"invalid_token\", error_description=\"{}\"",
                    document.code
                );
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            _ => {}
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
            Refused::Failed(failure) => failure.into(),
        }
    }
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::EmailTaken => email_taken(),
            SignUpError::WeakPassword(fault) => {
                Self::fields(vec![FieldProblem::invalid("password", fault)])
            }
            SignUpError::Limited(limited) => limited.into(),
            SignUpError::Failed(failure) => failure.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::InvalidCredentials => Self::new(
                StatusCode::UNAUTHORIZED,
                "invalid_credentials",
                "The e-mail address or the password is wrong.",
            ),
            SignInError::Superseded => {
                let detail =
                    "The account's sessions were ended during this sign-in; sign in again.";
                Self::new(StatusCode::UNAUTHORIZED, "sign_in_superseded", detail)
            }
            SignInError::Limited(limited) => limited.into(),
            SignInError::Failed(failure) => failure.into(),
        }
    }
}

impl From<UpdateDetailsError> for Problem {
    fn from(error: UpdateDetailsError) -> Self {
        match error {
            UpdateDetailsError::Refused(refused) => refused.into(),
            UpdateDetailsError::EmailTaken => email_taken(),
            UpdateDetailsError::WrongPassword => wrong_password(),
        }
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Refused(refused) => refused.into(),
            ChangePasswordError::WrongPassword => wrong_password(),
            ChangePasswordError::WeakPassword(fault) => {
                Self::fields(vec![FieldProblem::invalid("newPassword", fault)])
            }
            ChangePasswordError::Conflict => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "The account was changed at the same time; look again and retry.",
            ),
        }
    }
}

impl From<DeleteAccountError> for Problem {
    fn from(error: DeleteAccountError) -> Self {
        match error {
            DeleteAccountError::Refused(refused) => refused.into(),
            DeleteAccountError::ReauthenticationRequired => {
                let detail = "Sign in again, then delete the account within five minutes.";
                Self::new(StatusCode::FORBIDDEN, "reauthentication_required", detail)
            }
        }
    }
}

impl From<EndSessionError> for Problem {
    fn from(error: EndSessionError) -> Self {
        match error {
            EndSessionError::Refused(refused) => refused.into(),
            EndSessionError::NotFound => Self::not_found("You have no such session."),
        }
    }
}

/// Rounded up, at least one (RFC 9110 §10.2.3 knows no fractions).
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
        .max(1)
}

fn email_taken() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "email_taken",
        "An account with this e-mail address exists already.",
    )
}

fn wrong_password() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "wrong_password",
        "The current password is wrong.",
    )
}
