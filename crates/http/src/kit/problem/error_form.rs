//! The form in which an operation says what went wrong: a problem document, or, to OAuth clients, the object that those read.

use super::{Problem, ProblemCode};
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    },
};
use revolve_domain::use_cases::Refusal;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How an operation says what went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    /// RFC 9457.
    #[default]
    Problem,
    /// RFC 6749 §5.2.
    OAuth,
}

/// Why the request of an OAuth client was not carried out (RFC 6749 §5.2). Nothing was changed by a 4xx.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OAuthError {
    #[serde(skip)]
    status: StatusCode,
    /// What happened, by the word that OAuth has for it.
    #[schema(value_type = String, pattern = "^[a-z][a-z_]*$")]
    error: &'static str,
    /// What happened, for people: may change.
    #[schema(pattern = r"^[ !#-\[\]-~]+$")]
    error_description: String,
    /// What happened, for programs that know this service: stable, and more precise.
    #[schema(value_type = String, pattern = "^[a-z][a-z0-9_]*$")]
    code: &'static str,
}

impl OAuthError {
    fn of(problem: &Problem) -> Self {
        let code = problem.code();
        let (status, error) = word(problem.status(), code);
        let fields = problem.field_errors().iter();
        let fields: Vec<String> = fields
            .map(|error| format!("`{}` {}", error.field, error.detail))
            .collect();
        let description = if fields.is_empty() {
            plain(&problem.0.detail)
        } else {
            plain(&fields.join("; "))
        };
        Self {
            status,
            error,
            error_description: description,
            code,
        }
    }
}

/// The status and the word for a problem.
fn word(status: StatusCode, code: &'static str) -> (StatusCode, &'static str) {
    let is_refused = |refusal: &Refusal| refusal.code() == code;
    match (status, code) {
        // The token is spent, and its successor is with another tab or thread of the same client, whose libraries forget the tokens that they
        // share at `invalid_grant`. A status that says "later" would have them send this one again, until that is reuse.
        (StatusCode::UNAUTHORIZED, _) if is_refused(&Refusal::TokenStale) => {
            (StatusCode::BAD_REQUEST, "invalid_request")
        }
        (StatusCode::UNAUTHORIZED, _) if Refusal::ALL.iter().any(is_refused) => {
            (StatusCode::BAD_REQUEST, "invalid_grant")
        }
        (StatusCode::UNAUTHORIZED, _) => (status, "invalid_client"),
        // RFC 6750 §3.1
        (StatusCode::FORBIDDEN, _) => (status, "insufficient_scope"),
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _) => {
            (status, "temporarily_unavailable")
        }
        (StatusCode::INTERNAL_SERVER_ERROR, _) => (status, "server_error"),
        (_, "unsupported_grant_type" | "invalid_scope") => (status, code),
        (StatusCode::UNPROCESSABLE_ENTITY, _) => (StatusCode::BAD_REQUEST, "invalid_request"),
        _ => (status, "invalid_request"),
    }
}

/// With the characters that a description may have: those of ASCII without quotes and backslashes.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '…' => plain.push_str("..."),
            '"' | '\\' => plain.push('\''),
            ' '..='~' => plain.push(c),
            _ => plain.push('?'),
        }
    }
    plain
}

impl ErrorForm {
    /// The media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Problem => "application/problem+json",
            Self::OAuth => "application/json",
        }
    }

    /// The name of the schema in the document.
    pub(crate) const fn schema(self) -> &'static str {
        match self {
            Self::Problem => "Problem",
            Self::OAuth => "OAuthError",
        }
    }

    /// The status of the answer.
    pub(crate) fn status(self, problem: &Problem) -> StatusCode {
        match self {
            Self::Problem => problem.status(),
            Self::OAuth => OAuthError::of(problem).status,
        }
    }

    /// The body of the answer.
    pub(crate) fn body(self, problem: &Problem) -> Value {
        let body = match self {
            Self::Problem => serde_json::to_value(problem),
            Self::OAuth => serde_json::to_value(OAuthError::of(problem)),
        };
        body.unwrap_or_default()
    }

    /// The answer.
    pub(crate) fn response(self, problem: &Problem) -> HttpResponse {
        match self {
            Self::Problem => problem.error_response(),
            Self::OAuth => oauth_response(problem),
        }
    }
}

/// The headers of the problem's own answer stay, but for a challenge where the token in the body was refused.
fn oauth_response(problem: &Problem) -> HttpResponse {
    let error = OAuthError::of(problem);
    let is_challenge = matches!(
        error.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    );
    let mut response = HttpResponseBuilder::new(error.status);
    for (name, value) in problem.error_response().headers() {
        let stays = *name != CONTENT_TYPE && (is_challenge || *name != WWW_AUTHENTICATE);
        if stays {
            response.append_header((name.clone(), value.clone()));
        }
    }
    if error.status == StatusCode::UNAUTHORIZED {
        // The other way to show a key (RFC 6749 §2.3.1).
        response.append_header((WWW_AUTHENTICATE, "Basic realm=\"revolve\""));
    }
    let mut response = response.json(&error);
    response.extensions_mut().insert(ProblemCode(error.code));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::ports::StoreError;

    fn told(problem: &Problem) -> (u16, Value) {
        let form = ErrorForm::OAuth;
        (form.status(problem).as_u16(), form.body(problem))
    }

    #[test]
    fn a_client_forgets_its_token_only_where_it_is_worth_nothing() {
        for refusal in Refusal::ALL {
            let (status, body) = told(&refusal.into());
            let forgets = refusal != Refusal::TokenStale;
            let word = if forgets {
                "invalid_grant"
            } else {
                "invalid_request"
            };
            assert_eq!((status, &body["error"]), (400, &word.into()), "{refusal:?}");
            assert_eq!(body["code"], refusal.code());
            let response = ErrorForm::OAuth.response(&refusal.into());
            assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
        }
        let down = StoreError::unavailable("redis", "rotate", "it is gone");
        let (status, body) = told(&down.into());
        assert_eq!(
            (status, &body["error"]),
            (503, &"temporarily_unavailable".into())
        );
    }

    #[test]
    fn a_description_has_no_character_that_it_may_not_have() {
        assert_eq!(plain(r#"say "…" \ ü`"#), "say '...' ' ?`");
    }
}
