//! The answer to a request without a good token, or without the role or the authentication that it needs: a problem document (RFC 9457) with the codes of
//! the service itself, and the challenge of RFC 6750 §3 or RFC 9470 §3.

use crate::{authentication::InsufficientAuthentication, error::VerifyError};
use serde_json::Value;
use std::{borrow::Cow, error::Error};

/// RFC 6750 §3.1: the client may ask for a new token.
const INVALID: &str = "Bearer realm=\"revolve\", error=\"invalid_token\"";
const OUTDATED: &str = "Bearer realm=\"revolve\", error=\"invalid_token\", error_description=\"The token is outdated: refresh it\"";

#[derive(Debug)]
pub(crate) struct ProblemDocument {
    /// 401, 403, 500 or 503.
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    detail: String,
    /// A field of the answer: `WWW-Authenticate` with 401, `Retry-After` with 503.
    field: Option<(&'static str, Cow<'static, str>)>,
    /// Further members of the document.
    members: Vec<(&'static str, Value)>,
    #[cfg_attr(
        not(feature = "actix"),
        expect(dead_code, reason = "only actix asks an error for its source")
    )]
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

impl ProblemDocument {
    /// The request has no token.
    pub(crate) fn unauthenticated() -> Self {
        Self {
            status: 401,
            code: "unauthenticated",
            detail: "There is no bearer token.".to_owned(),
            field: Some(("www-authenticate", "Bearer realm=\"revolve\"".into())),
            members: Vec::new(),
            source: None,
        }
    }

    /// The account does not have the role.
    pub(crate) fn role_required(role: &str) -> Self {
        Self {
            status: 403,
            code: "role_required",
            detail: format!("This needs the role `{role}`."),
            field: None,
            members: Vec::new(),
            source: None,
        }
    }

    /// The application has no verifier, or its layers are in another order.
    pub(crate) fn misconfigured() -> Self {
        Self {
            status: 500,
            code: "internal",
            detail: "The service is not set up.".to_owned(),
            field: None,
            members: Vec::new(),
            source: None,
        }
    }

    /// The answer's header fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("content-type", "application/problem+json"),
            ("cache-control", "no-store"),
        ]
        .into_iter()
        .chain(self.field.as_ref().map(|(name, value)| (*name, &**value)))
    }

    pub(crate) fn body(&self) -> String {
        let title = match self.status {
            401 => "Unauthorized",
            403 => "Forbidden",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut document = serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        });
        for (name, value) in &self.members {
            document[*name] = value.clone();
        }
        document.to_string()
    }
}

impl From<VerifyError> for ProblemDocument {
    fn from(error: VerifyError) -> Self {
        let (status, field) = match error {
            VerifyError::RevocationsUnknown(_) | VerifyError::Unavailable(_) => {
                (503, ("retry-after", "1"))
            }
            VerifyError::Outdated => (401, ("www-authenticate", OUTDATED)),
            _ => (401, ("www-authenticate", INVALID)),
        };
        Self {
            status,
            code: error.code(),
            // Which check failed is of use to an attacker only.
            detail: match error {
                VerifyError::Expired
                | VerifyError::Revoked
                | VerifyError::Outdated
                | VerifyError::RevocationsUnknown(_)
                | VerifyError::Unavailable(_) => {
                    format!("{error}.")
                }
                _ => "the token is not acceptable.".to_owned(),
            },
            field: Some((field.0, field.1.into())),
            members: Vec::new(),
            source: Some(error.into()),
        }
    }
}

/// The document repeats the challenge, for scripts of other origins: they can't read `WWW-Authenticate` unless it is exposed to them.
impl From<InsufficientAuthentication> for ProblemDocument {
    fn from(error: InsufficientAuthentication) -> Self {
        let max_age = error.max_age().map(|seconds| ("maxAge", seconds.into()));
        let methods = error.acr_values();
        let methods = methods.map(|values| ("acrValues", values.split(' ').collect()));
        Self {
            status: 401,
            code: error.code(),
            detail: format!("{error}."),
            field: Some(("www-authenticate", error.challenge().into())),
            members: max_age.into_iter().chain(methods).collect(),
            source: Some(error.into()),
        }
    }
}
