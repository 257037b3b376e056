//! Where a client of the API keeps its refresh token: it gets it in a body, or, with `Revolve-Tokens: cookie`, in a cookie that scripts
//! can't read.

use crate::kit::{
    answer::{TokensAnswer, sample},
    openapi::Operation,
    origins::Origins,
    problem::Problem,
    token_cookie::{TokenCookie, is_over, missing},
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError, cookie::Cookie, dev::Payload,
    http::StatusCode,
};
use revolve_domain::use_cases::{Refused, TokenPair};
use std::future::{Ready, ready};
use utoipa::openapi::{Type, path::ParameterIn, schema::ObjectBuilder};

/// The header with which a front end asks for the cookie. No form can send it, and scripts of other origins only after a preflight.
pub(crate) const TOKENS_HEADER: &str = "Revolve-Tokens";

/// Its one value.
const COOKIE_MODE: &str = "cookie";

/// Where a client keeps its refresh token.
pub(crate) enum TokenMode {
    /// Somewhere of its own. A cookie counts for nothing.
    Body,
    /// In the cookie of its front end.
    Cookie(TokenCookie),
}

impl FromRequest for TokenMode {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl TokenMode {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let headers = request.headers();
        let mut asked = headers.get_all(TOKENS_HEADER);
        match (asked.next(), asked.next()) {
            (None, _) => return Ok(Self::Body),
            (Some(mode), None) if mode == COOKIE_MODE => {}
            _ => return Err(invalid_mode()),
        }
        let origins = Origins::of(request);
        let front_end = origins.front_end(headers).ok_or_else(foreign)?;
        Ok(Self::Cookie(TokenCookie::of(request, front_end)))
    }

    /// Its cookie, if the refresh token is kept there.
    pub(crate) fn cookie(&self) -> Option<&TokenCookie> {
        match self {
            Self::Body => None,
            Self::Cookie(cookie) => Some(cookie),
        }
    }

    /// New tokens as the body has them.
    pub(crate) fn tokens<'t>(&self, pair: &'t TokenPair) -> TokensAnswer<'t> {
        let tokens = TokensAnswer::from(pair);
        match self {
            Self::Body => tokens,
            Self::Cookie(_) => tokens.without_refresh_token(),
        }
    }

    /// What keeps new tokens, but for those in the body.
    pub(crate) fn cookies(&self, pair: &TokenPair) -> Vec<Cookie<'static>> {
        self.cookie()
            .map(|cookie| cookie.set(&pair.refresh_token))
            .unwrap_or_default()
    }

    /// What a client gets whose token was refused. The cookie goes with a token that is of no use any more, and stays after a 429 and a 503.
    pub(crate) fn refused(&self, refused: Refused) -> Result<HttpResponse, Problem> {
        let over = self
            .cookie()
            .filter(|_| matches!(&refused, Refused::Token(refusal) if is_over(*refusal)));
        let problem = Problem::from(refused);
        match over {
            Some(cookie) => cookie.cleared(problem.error_response()),
            None => Err(problem),
        }
    }
}

/// 400: the header has another value, or is there twice.
fn invalid_mode() -> Problem {
    Problem::malformed(
        "invalid_tokens_mode",
        "`Revolve-Tokens` must be `cookie`, once; leave it out to have the refresh token in the body.",
    )
}

/// 403: the request does not come from a front end of this site.
fn foreign() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "csrf_refused",
        "Tokens in a cookie are for pages of this service's origin, and for those of `http.cors_origins` on the same site.",
    )
}

/// What takes the cookie away.
pub(crate) const CLEARED: &str =
    "With `Revolve-Tokens: cookie`: takes away a refresh token that is of no use any more.";

/// Describes the header of an operation that hands out tokens.
pub(crate) fn mode_docs(operation: Operation) -> Operation {
    let word = ObjectBuilder::new().schema_type(Type::String);
    operation
        .parameter(
            ParameterIn::Header,
            TOKENS_HEADER,
            "For browsers: keeps the refresh token in a cookie that scripts can't read, and out of the body. Needs an `Origin`, or without one \
             `Sec-Fetch-Site: same-origin`, that is the issuer's or one of `http.cors_origins` on its site. The name of the cookie ends with the \
             installation's id, then, for a listed origin, with that origin's; over https it begins with `__Host-`.",
            word.enum_values(Some([COOKIE_MODE])),
            COOKIE_MODE,
        )
        .problems([invalid_mode(), foreign()])
}

/// The same for an operation that the cookie authenticates.
pub(crate) fn cookie_docs(operation: Operation) -> Operation {
    mode_docs(operation)
        .problems([missing()])
        .empty(401, "The caller is not known.")
        .maybe_header([401], "Set-Cookie", CLEARED, sample::NO_TOKEN_COOKIE)
}
