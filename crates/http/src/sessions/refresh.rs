//! `POST /tokens`: a refresh token for the next pair.

pub(super) mod docs;

use super::{
    answer::{SessionAnswer, TokensAnswer},
    body::Body,
    caller::Caller,
    problem::Problem,
    rate_limit,
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{Refresh, RefreshRequest};
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

/// The next pair of tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Refreshed)]
struct Answer<'a> {
    tokens: TokensAnswer<'a>,
    session: SessionAnswer<'a>,
}

/// `POST /tokens`
pub(super) async fn refresh(
    use_case: UseCase<Refresh>,
    caller: Caller,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let token = parse(body)?;
    let request = RefreshRequest {
        token,
        device_credential: caller.device_credential,
        client: caller.client,
    };
    let refreshed = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    let mut response = HttpResponse::Ok();
    if let Some(budget) = &refreshed.budget {
        response.insert_header((rate_limit::LEVEL, rate_limit::level(budget)));
    }
    Ok(response.json(Answer {
        tokens: (&refreshed.tokens).into(),
        session: SessionAnswer::new(&refreshed.session, None),
    }))
}

pub(crate) fn parse(mut body: Body) -> Result<SecretString, Problem> {
    let token = body.secret("refreshToken", |token| Ok(token.clone()));
    body.finish(token)
}
