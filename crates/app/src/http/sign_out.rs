//! `POST /signout`: the end of this session, of the others, or of all.

use super::{body::OptionalBody, caller::Bearer, complete, problem::Problem};
use actix_web::{HttpResponse, web};
use revolve_domain::use_cases::{SignOut, SignOutScope};

const SCOPES: [(&str, SignOutScope); 3] =
    [("this", SignOutScope::This), ("others", SignOutScope::Others), ("everywhere", SignOutScope::Everywhere)];

/// `POST /signout`
pub(super) async fn sign_out(use_case: web::Data<SignOut>, bearer: Bearer, body: OptionalBody) -> Result<HttpResponse, Problem> {
    let OptionalBody(mut body) = body;
    let scope = body.choice("scope", &SCOPES).unwrap_or_default();
    let scope = body.finish(Some(scope))?;
    complete(async move { use_case.execute(&bearer.0, scope).await }).await??;
    Ok(HttpResponse::NoContent().finish())
}
