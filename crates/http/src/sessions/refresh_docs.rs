//! How `POST /tokens` is documented.

use super::Answer;
use crate::http::{
    answer::docs as sample,
    openapi::{Member, Operation, example, token},
    problem::Problem,
};
use revolve_domain::use_cases::Refusal;
use serde_json::json;

pub(in crate::http) fn refresh() -> Operation {
    let description = "Trades the refresh token for the next pair. The token is used up by that; keep the new one in its place.\n\nIf the \
                       answer is lost, send the same token again: until its successor is used, and within limits, you get the same \
                       successor, so tabs and retries do no harm. After 503, 429, a timeout or no answer keep the token and try again. \
                       Only 401 means that it is worth nothing: with `token_stale` another tab was faster, so read your storage again; \
                       with any other code sign in.\n\nA session that is bound to a device needs the device credential here.";
    let body = [Member::required(
        "refreshToken",
        token("The newest refresh token.", sample::TOKEN),
    )];
    let answer = Answer {
        tokens: sample::tokens(),
        session: sample::session(None),
    };
    Operation::new("refresh", "account", "Refresh", description)
        .device()
        .limited()
        .body(
            "Refresh",
            "The token to trade.",
            body,
            [(
                "The newest refresh token",
                json!({ "refreshToken": sample::TOKEN }),
            )],
        )
        .json::<Answer<'_>, 1>(200, "The next pair.", [("The next pair", example(&answer))])
        .problems(Refusal::ALL.map(Problem::from))
}
