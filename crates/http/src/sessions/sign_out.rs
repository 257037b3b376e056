//! `POST /signout`: the end of this session, of the others, or of all.

pub(super) mod docs;

use super::{
    body::{Body, OptionalBody},
    caller::Bearer,
    problem::Problem,
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{SignOut, SignOutScope};

pub(crate) const SCOPES: [(&str, SignOutScope); 3] = [
    ("this", SignOutScope::This),
    ("others", SignOutScope::Others),
    ("everywhere", SignOutScope::Everywhere),
];

/// `POST /signout`
pub(super) async fn sign_out(
    use_case: UseCase<SignOut>,
    bearer: Bearer,
    body: OptionalBody,
) -> Result<HttpResponse, Problem> {
    let scope = parse(body.0)?;
    use_case
        .run(async move |case| case.execute(&bearer.0, scope).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) fn parse(mut body: Body) -> Result<SignOutScope, Problem> {
    let scope = body.choice("scope", &SCOPES).unwrap_or_default();
    body.finish(Some(scope))
}
