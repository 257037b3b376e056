//! What a client is told: a problem document (RFC 9457) with the codes that the service itself uses, and the challenge of RFC 6750 §3.

use crate::error::VerifyError;

/// A refusal, ready to send.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    /// `WWW-Authenticate`, with 401.
    pub(crate) challenge: Option<&'static str>,
    /// `Retry-After` in seconds, with 503.
    pub(crate) retry_after: Option<&'static str>,
}

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

impl Problem {
    /// There is no token.
    pub(crate) fn unauthenticated() -> Self {
        Self {
            status: 401,
            code: "unauthenticated",
            detail: "There is no bearer token.".to_owned(),
            challenge: Some("Bearer realm=\"revolve\""),
            retry_after: None,
        }
    }

    /// The verifier was not given to the application.
    #[cfg(feature = "actix")]
    pub(crate) fn misconfigured() -> Self {
        Self {
            status: 500,
            code: "internal",
            detail: "The service is not set up.".to_owned(),
            challenge: None,
            retry_after: None,
        }
    }

    pub(crate) fn title(&self) -> &'static str {
        match self.status {
            401 => "Unauthorized",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        }
    }

    pub(crate) fn body(&self) -> String {
        serde_json::json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        })
        .to_string()
    }
}

impl From<&VerifyError> for Problem {
    fn from(error: &VerifyError) -> Self {
        // Which check failed is of use to an attacker only.
        let detail = match error {
            VerifyError::Expired | VerifyError::Revoked | VerifyError::Unavailable(_) => {
                format!("{error}.")
            }
            _ => "the token is not acceptable.".to_owned(),
        };
        let unavailable = error.is_unavailable();
        Self {
            status: if unavailable { 503 } else { 401 },
            code: error.code(),
            detail,
            challenge: (!unavailable)
                .then_some("Bearer realm=\"revolve\", error=\"invalid_token\""),
            retry_after: unavailable.then_some("1"),
        }
    }
}
