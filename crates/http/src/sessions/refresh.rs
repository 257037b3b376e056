//! `POST /tokens`: a refresh token for the next pair.

use crate::kit::{
    answer::{SessionAnswer, TokensAnswer, sample},
    body::{Body, OptionalBody},
    caller::RequestClient,
    openapi::{Member, Operation, example, token},
    problem::Problem,
    rate_limit,
    token_mode::{TokenMode, cookie_docs},
    use_case::UseCase,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, dev::Payload, web};
use revolve_domain::use_cases::{Refresh, RefreshRequest, Refreshed, Refusal, Refused};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// The next pair of tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Refreshed)]
struct RefreshAnswer<'a> {
    tokens: TokensAnswer<'a>,
    session: SessionAnswer<'a>,
}

/// `POST /tokens`
pub(crate) async fn refresh(
    use_case: UseCase<Refresh>,
    caller: RequestClient,
    mode: TokenMode,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let token = shown(&mode, &request, &mut payload.into_inner()).await?;
    let (refreshed, mut response) = match trade(use_case, caller, token).await? {
        Ok(traded) => traded,
        Err(refused) => return mode.refused(refused),
    };
    for cookie in mode.cookies(&refreshed.tokens) {
        response.cookie(cookie);
    }
    Ok(response.json(RefreshAnswer {
        tokens: mode.tokens(&refreshed.tokens),
        session: SessionAnswer::new(&refreshed.session, None),
    }))
}

/// Trades a token. The answer lacks its body, which each kind of client reads by other names, and what only some keep.
pub(crate) async fn trade(
    use_case: UseCase<Refresh>,
    caller: RequestClient,
    token: SecretString,
) -> Result<Result<(Refreshed, HttpResponseBuilder), Refused>, Problem> {
    let renamed = caller.renamed_cookie();
    let request = RefreshRequest {
        token,
        device_credentials: caller.device_credentials,
        client: caller.client,
    };
    let refreshed = use_case
        .run(async move |case| case.execute(request).await)
        .await?;
    let refreshed = match refreshed {
        Ok(refreshed) => refreshed,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = renamed {
        response.cookie(cookie);
    }
    if let Some(budget) = &refreshed.budget {
        response.insert_header((rate_limit::LEVEL, rate_limit::level(budget)));
    }
    Ok(Ok((refreshed, response)))
}

/// The token of the body or of the cookie, never of both.
async fn shown(
    mode: &TokenMode,
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<SecretString, Problem> {
    let Some(cookie) = mode.cookie() else {
        return parse(Body::from_request(request, payload).await?);
    };
    let OptionalBody(mut body) = OptionalBody::from_request(request, payload).await?;
    if body.has("refreshToken") {
        body.refuse(
            "refreshToken",
            "unknown_field",
            "is not known beside `Revolve-Tokens: cookie`",
        );
    }
    body.finish(Some(()))?;
    cookie.needed()
}

pub(crate) fn parse(mut body: Body) -> Result<SecretString, Problem> {
    // White space around a token is no part of it: files and shells leave a line's end there.
    let token = body.secret("refreshToken", |token| {
        Ok(SecretString::from(token.expose_secret().trim()))
    });
    body.finish(token)
}

pub(crate) const RENAMED_COOKIE: &str = "The same device credentials under the cookie's present name, if the browser has them under earlier names alone.";
const COOKIE: &str = "With `Revolve-Tokens: cookie` the next refresh token, as after a sign-in. And the same device credentials under the cookie's \
                      present name, if the browser has them under earlier names alone.";

pub(crate) fn refresh_docs() -> Operation {
    let description = "Trades the refresh token for the next pair. The token is used up by that; keep the new one in its place.\n\nIf the \
                       answer is lost, send the same token again: until its successor is used, and within limits, you get the same \
                       successor, so tabs and retries do no harm. After 503, 429, a timeout or no answer keep the token and try again. \
                       Only 401 means that it is worth nothing: with `token_stale` another tab was faster, so read your storage again; \
                       with any other code sign in.\n\nWith `Revolve-Tokens: cookie` the token is that of the cookie, and the body stays empty. Then a 401 \
                       takes the cookie away, but for `token_stale`, `session_replaced` and `device_mismatch`, since a faster request or a newer sign-in of \
                       the same browser may have set it anew.\n\nA session that is bound to a device needs the device credential here. One that is not \
                       bound yet is bound to the device that is shown, if its user has signed in on it.";
    let body = [Member::optional(
        "refreshToken",
        token(
            "The newest refresh token. Needed, but with `Revolve-Tokens: cookie` refused.",
            sample::TOKEN,
        ),
    )];
    let example_of = |tokens| {
        example(&RefreshAnswer {
            tokens,
            session: sample::session(None),
        })
    };
    let operation = Operation::new("refresh", "account", "Refresh", description)
        .device()
        .token_cookie()
        .optional_body(
            "Refresh",
            "The token to trade.",
            body,
            [
                (
                    "The newest refresh token",
                    json!({ "refreshToken": sample::TOKEN }),
                ),
                ("Where the cookie has it", json!({})),
            ],
        )
        .json::<RefreshAnswer<'_>, 2>(
            200,
            "The next pair.",
            [
                ("The next pair", example_of(sample::tokens())),
                (
                    "Where the cookie has the refresh token",
                    example_of(sample::tokens().without_refresh_token()),
                ),
            ],
        )
        .maybe_header([200], "Set-Cookie", COOKIE, sample::TOKEN_COOKIE)
        .problems(Refusal::ALL.map(Problem::from));
    cookie_docs(operation)
}
