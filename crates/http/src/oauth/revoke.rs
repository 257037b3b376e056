//! `POST /oauth/revoke`: the end of a token's session (RFC 7009).

use super::form::{Parameters, token_members};
use crate::kit::{answer::sample, openapi::Operation, problem::Problem, use_case::UseCase};
use actix_web::HttpResponse;
use revolve_domain::use_cases::RevokeToken;
use serde_json::json;

/// `POST /oauth/revoke`
pub(crate) async fn revoke(
    use_case: UseCase<RevokeToken>,
    parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let token = parameters.token()?;
    use_case
        .run(async move |case| case.execute(&token).await)
        .await??;
    Ok(HttpResponse::Ok().finish())
}

pub(crate) fn revoke_docs() -> Operation {
    let description = "Signs out: ends the session of a refresh token or an ID token, with all of its tokens, as final as `POST /api/account/signout`. \
                       What is no token of a live session ends nothing and is answered alike. After 503 the token may still count: send it again. \
                       No device credential is needed.";
    Operation::new("oauthRevoke", "oauth", "Sign out, by OAuth", description)
        .form(
            "RevocationRequest",
            "The token whose session ends.",
            token_members("A refresh token or an ID token.", sample::TOKEN),
            [
                ("A refresh token", json!({ "token": sample::TOKEN })),
                (
                    "With a hint",
                    json!({ "token": sample::TOKEN, "token_type_hint": "refresh_token" }),
                ),
            ],
        )
        .empty(200, "The token is worth nothing, whatever it was.")
}
