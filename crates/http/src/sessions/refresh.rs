//! `POST /tokens`: a refresh token for the next pair.

use crate::kit::{
    answer::{SessionAnswer, TokensAnswer, sample},
    body::Body,
    caller::RequestClient,
    openapi::{Member, Operation, example, token},
    problem::Problem,
    rate_limit,
    use_case::UseCase,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use revolve_domain::use_cases::{Refresh, RefreshRequest, Refreshed, Refusal};
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
    body: Body,
) -> Result<HttpResponse, Problem> {
    let token = parse(body)?;
    let (refreshed, mut response) = trade(use_case, caller, token).await?;
    Ok(response.json(RefreshAnswer {
        tokens: (&refreshed.tokens).into(),
        session: SessionAnswer::new(&refreshed.session, None),
    }))
}

/// Trades a token. The answer lacks its body, which each kind of client reads by other names.
pub(crate) async fn trade(
    use_case: UseCase<Refresh>,
    caller: RequestClient,
    token: SecretString,
) -> Result<(Refreshed, HttpResponseBuilder), Problem> {
    let renamed = caller.renamed_cookie();
    let request = RefreshRequest {
        token,
        device_credentials: caller.device_credentials,
        client: caller.client,
    };
    let refreshed = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = renamed {
        response.cookie(cookie);
    }
    if let Some(budget) = &refreshed.budget {
        response.insert_header((rate_limit::LEVEL, rate_limit::level(budget)));
    }
    Ok((refreshed, response))
}

pub(crate) fn parse(mut body: Body) -> Result<SecretString, Problem> {
    // White space around a token is no part of it: files and shells leave a line's end there.
    let token = body.secret("refreshToken", |token| {
        Ok(SecretString::from(token.expose_secret().trim()))
    });
    body.finish(token)
}

pub(crate) const RENAMED_COOKIE: &str = "The same device credentials under the cookie's present name, if the browser has them under earlier names alone.";

pub(crate) fn refresh_docs() -> Operation {
    let description = "Trades the refresh token for the next pair. The token is used up by that; keep the new one in its place.\n\nIf the \
                       answer is lost, send the same token again: until its successor is used, and within limits, you get the same \
                       successor, so tabs and retries do no harm. After 503, 429, a timeout or no answer keep the token and try again. \
                       Only 401 means that it is worth nothing: with `token_stale` another tab was faster, so read your storage again; \
                       with any other code sign in.\n\nA session that is bound to a device needs the device credential here. One that is not \
                       bound yet is bound to the device that is shown, if its user has signed in on it.";
    let body = [Member::required(
        "refreshToken",
        token("The newest refresh token.", sample::TOKEN),
    )];
    let answer = RefreshAnswer {
        tokens: sample::tokens(),
        session: sample::session(None),
    };
    Operation::new("refresh", "account", "Refresh", description)
        .device()
        .body(
            "Refresh",
            "The token to trade.",
            body,
            [(
                "The newest refresh token",
                json!({ "refreshToken": sample::TOKEN }),
            )],
        )
        .json::<RefreshAnswer<'_>, 1>(200, "The next pair.", [("The next pair", example(&answer))])
        .maybe_header([200], "Set-Cookie", RENAMED_COOKIE, sample::COOKIE)
        .problems(Refusal::ALL.map(Problem::from))
}
