//! `POST /oauth/token`: a refresh token for the next pair (RFC 6749 §6).

use super::{
    BEARER, GRANT, SCOPES,
    form::{Parameters, trimmed},
};
use crate::{
    kit::{
        answer::sample,
        caller::RequestClient,
        openapi::{Member, Operation, example, fixed, token as token_schema},
        problem::Problem,
        use_case::UseCase,
    },
    sessions::{RENAMED_COOKIE, trade},
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{Refresh, Refusal};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use utoipa::{ToSchema, openapi::schema::ObjectBuilder};

/// The next pair of tokens (RFC 6749 §5.1, OpenID Connect Core 1.0 §12.2).
#[derive(Serialize, ToSchema)]
#[schema(as = TokenResponse)]
struct TokenAnswer<'a> {
    /// The ID token, by the name that OAuth clients send as `Authorization: Bearer …`.
    #[schema(schema_with = sample::id_token)]
    access_token: &'a str,
    #[schema(schema_with = sample::id_token)]
    id_token: &'a str,
    #[schema(schema_with = sample::refresh_token)]
    refresh_token: &'a str,
    #[schema(schema_with = bearer)]
    token_type: &'static str,
    /// The seconds until the ID token expires.
    expires_in: u64,
}

fn bearer() -> ObjectBuilder {
    fixed("How it is used (RFC 6750).", [BEARER])
}

/// `POST /oauth/token`
pub(crate) async fn token(
    use_case: UseCase<Refresh>,
    caller: RequestClient,
    parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let token = parse(parameters)?;
    let (refreshed, mut response) = trade(use_case, caller, token).await??;
    let tokens = &refreshed.tokens;
    let id_token = tokens.id_token.expose_secret();
    Ok(response.json(TokenAnswer {
        access_token: id_token,
        id_token,
        refresh_token: tokens.refresh_token.expose_secret(),
        token_type: BEARER,
        expires_in: tokens.id_expires_at.since(refreshed.at).as_secs(),
    }))
}

fn parse(parameters: Parameters) -> Result<SecretString, Problem> {
    let mut body = parameters.of(&["grant_type", "refresh_token", "scope"]);
    // The parameters of other grants are not missed.
    let grant = body.required("grant_type", |name| Ok(name == GRANT));
    if grant == Some(false) {
        return Err(unsupported_grant_type());
    }
    let is_granted = |scope: &str| scope.is_empty() || SCOPES.contains(&scope);
    let scopes = body.optional("scope", |scopes| Ok(scopes.split(' ').all(is_granted)));
    let token = body.secret("refresh_token", |token| Ok(trimmed(token)));
    let token = body.finish(token)?;
    match scopes {
        Some(false) => Err(invalid_scope()),
        _ => Ok(token),
    }
}

fn unsupported_grant_type() -> Problem {
    Problem::malformed(
        "unsupported_grant_type",
        "The grant type must be `refresh_token`; sessions begin at `POST /api/account/signin`.",
    )
}

fn invalid_scope() -> Problem {
    Problem::malformed(
        "invalid_scope",
        "The scope is more than was granted: there are `openid profile email offline_access`.",
    )
}

pub(crate) fn token_docs() -> Operation {
    let description = "Trades the refresh token for the next pair, as `POST /api/account/tokens` does, for OAuth clients. The access token is the ID \
                       token, and the client's id in their settings is the audience of ID tokens (`tokens.audience`).\n\n`invalid_grant` says \
                       that the refresh token is worth nothing: forget it, and sign in. With any other `error`, after 503, 429, a timeout or no answer keep it \
                       and try again: until its successor is used, and within limits, the same token gets the same successor. \
                       `invalid_request` with the code `token_stale` says that another thread or tab of the client has the newer token.\n\nClients are not registered: what \
                       a client says of itself is not looked at. A session that is bound to a device needs the device credential here.";
    let fields = [
        Member::required("grant_type", fixed("The grant.", [GRANT])),
        Member::required(
            "refresh_token",
            token_schema("The newest refresh token.", sample::TOKEN),
        ),
        Member::optional(
            "scope",
            token_schema(
                "What the tokens are for, as far as OAuth knows: some of `openid profile email offline_access`. All pairs are the same.",
                "openid email",
            ),
        ),
        Member::optional(
            "client_id",
            token_schema(
                "The audience of ID tokens; not looked at here, but libraries compare it with theirs.",
                "revolve",
            ),
        ),
    ];
    let answer = TokenAnswer {
        access_token: sample::TOKEN,
        id_token: sample::TOKEN,
        refresh_token: sample::TOKEN,
        token_type: BEARER,
        expires_in: 900,
    };
    Operation::new("oauthToken", "oauth", "Refresh, by OAuth", description)
        .device()
        .form(
            "TokenRequest",
            "The token to trade.",
            fields,
            [(
                "The newest refresh token",
                json!({ "grant_type": GRANT, "refresh_token": sample::TOKEN }),
            )],
        )
        .json::<TokenAnswer<'_>, 1>(200, "The next pair.", [("The next pair", example(&answer))])
        .maybe_header([200], "Set-Cookie", RENAMED_COOKIE, sample::COOKIE)
        .problems([unsupported_grant_type(), invalid_scope()])
        .problems(Refusal::ALL.map(Problem::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{FromRequest, test::TestRequest};

    async fn parsed(form: &str) -> Result<String, &'static str> {
        let (request, mut payload) = TestRequest::default()
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(form.to_owned())
            .to_http_parts();
        let parameters = Parameters::from_request(&request, &mut payload).await;
        let token = parameters.and_then(parse);
        token
            .map(|token| token.expose_secret().to_owned())
            .map_err(|problem| problem.code())
    }

    #[actix_web::test]
    async fn a_grant_that_there_is_not_is_no_mistake_in_the_parameters() {
        let refresh = "grant_type=refresh_token&refresh_token=a.b.c";
        assert_eq!(parsed(refresh).await, Ok("a.b.c".to_owned()));
        for form in [
            "grant_type=password&username=ann",
            "grant_type=Refresh_token",
        ] {
            assert_eq!(parsed(form).await, Err("unsupported_grant_type"), "{form}");
        }
        for form in ["", "refresh_token=a", "grant_type=refresh_token"] {
            assert_eq!(parsed(form).await, Err("invalid_fields"), "{form}");
        }
        let scoped = |scope: &str| format!("{refresh}&scope={scope}");
        for granted in ["openid", "offline_access+openid", "", "email++profile"] {
            assert!(parsed(&scoped(granted)).await.is_ok(), "{granted}");
        }
        for more in ["admin", "openid+admin", "OPENID", "openid%2Cemail"] {
            assert_eq!(parsed(&scoped(more)).await, Err("invalid_scope"), "{more}");
        }
    }
}
