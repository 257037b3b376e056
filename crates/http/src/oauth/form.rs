//! The parameters of requests (RFC 6749 §3.2).

use crate::kit::{
    body::{Body, MediaType, read},
    form::fields,
    openapi::{Member, token},
    problem::Problem,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, future::Future, pin::Pin};

/// The name of the parameter of tokens that are revoked or introspected.
const TOKEN: &str = "token";

/// The parameters of a request. One without a value counts as missing, and none may be there twice.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Those of these names. Others are ignored: a client's id and secret among them, since no clients are registered here.
    pub(super) fn of(mut self, names: &[&str]) -> Body {
        self.0.retain(|name, _| names.contains(&name.as_str()));
        Body::of_fields(self.0.into_iter())
    }

    /// The token that a request is about. What kind it is shows in the token itself, so the hint is not needed.
    pub(super) fn token(self) -> Result<SecretString, Problem> {
        let mut body = self.of(&[TOKEN]);
        let token = body.secret(TOKEN, |token| Ok(trimmed(token)));
        body.finish(token)
    }
}

/// White space around a token is no part of it: files and shells leave a line's end there.
pub(super) fn trimmed(token: &SecretString) -> SecretString {
    SecretString::from(token.expose_secret().trim())
}

impl FromRequest for Parameters {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload, MediaType::Form).await?;
            fields(&bytes).map(Self)
        })
    }
}

/// The parameters of a request about a token.
pub(super) fn token_members(description: &str, example: &str) -> [Member; 2] {
    [
        Member::required(TOKEN, token(description, example)),
        Member::optional(
            "token_type_hint",
            token(
                "What kind it is; not needed, and not looked at.",
                "refresh_token",
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(form: &str) -> Result<Parameters, Problem> {
        fields(form.as_bytes()).map(Parameters)
    }

    fn token(form: &str) -> Result<String, &'static str> {
        let token = parameters(form).and_then(Parameters::token);
        token
            .map(|token| token.expose_secret().to_owned())
            .map_err(|problem| problem.code())
    }

    #[test]
    fn a_token_is_found_among_what_is_ignored() {
        assert_eq!(
            token("client_id=web&token=a.b.c&token_type_hint=x"),
            Ok("a.b.c".to_owned())
        );
        assert_eq!(token("token=+a.b.c%0A"), Ok("a.b.c".to_owned()));
        for missing in ["", "token=", "Token=a", "client_id=web", "token=+"] {
            assert_eq!(token(missing), Err("invalid_fields"), "{missing}");
        }
    }

    #[test]
    fn no_parameter_may_be_there_twice() {
        for twice in ["token=a&token=a", "token=a&x=1&x=2", "token=&token=a"] {
            assert_eq!(token(twice), Err("duplicate_member"), "{twice}");
        }
        assert_eq!(token("token=%FF"), Err("incomplete_body"));
    }
}
