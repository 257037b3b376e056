//! `POST /signout`: the end of this session, of the others, or of all.

use crate::kit::{
    body::{Body, OptionalBody},
    caller::BearerCaller,
    openapi::{Member, Operation, choice},
    problem::Problem,
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{SignOut, SignOutScope};
use serde_json::json;

pub(crate) const SCOPES: [(&str, SignOutScope); 3] = [
    ("this", SignOutScope::This),
    ("others", SignOutScope::Others),
    ("everywhere", SignOutScope::Everywhere),
];

/// `POST /signout`
pub(crate) async fn sign_out(
    use_case: UseCase<SignOut>,
    caller: BearerCaller,
    body: OptionalBody,
) -> Result<HttpResponse, Problem> {
    let scope = parse(body.0)?;
    use_case
        .run(async move |case| case.execute(&caller.0, scope).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) fn parse(mut body: Body) -> Result<SignOutScope, Problem> {
    let scope = body.choice("scope", &SCOPES).unwrap_or_default();
    body.finish(Some(scope))
}

pub(crate) fn sign_out_docs() -> Operation {
    let description = "Ends this session, all others, or all. It is final: after the answer no token of an ended session is accepted here, \
                       and services that follow `/.well-known/revocations` hear of it within about a second. This session is ended without the device credential, too.";
    let scope = choice(
        "Which sessions: this one, all but this one, or all of the account.",
        SCOPES.map(|(word, _)| word),
        "this",
    );
    Operation::new("signOut", "sessions", "Sign out", description)
        .bearer_on_device()
        .optional_body(
            "SignOut",
            "Which sessions to end; nothing counts as `{}`.",
            [Member::optional("scope", scope)],
            [
                ("This session", json!({})),
                ("All others", json!({ "scope": "others" })),
                ("All", json!({ "scope": "everywhere" })),
            ],
        )
        .empty(204, "They have ended.")
}
