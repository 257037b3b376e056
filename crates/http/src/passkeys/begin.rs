//! `POST /signup/passkey/options`: the registration of a passkey for an account that is only to be made.

use crate::kit::{
    body::Body,
    caller::RequestClient,
    factor::{ChallengeAnswer, creation_docs},
    openapi::{Member, Operation, email},
    problem::Problem,
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::EmailAddress,
    use_cases::{BeginSignUpPasskey, SignUpPasskeyRequest},
};
use serde_json::json;

/// `POST /signup/passkey/options`
pub(crate) async fn sign_up_options(
    use_case: UseCase<BeginSignUpPasskey>,
    caller: RequestClient,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let email = body.required("email", EmailAddress::parse);
    let request = SignUpPasskeyRequest {
        email: body.finish(email)?,
        client: caller.described(),
    };
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    Ok(HttpResponse::Ok().json(ChallengeAnswer::from(&begun)))
}

pub(crate) fn sign_up_options_docs() -> Operation {
    let description = "Begins a sign-up with a passkey: give `publicKey` to `navigator.credentials.create()`, and what it makes to `POST /signup` as \
                       `passkey`, with the `challenge`. The address is what the authenticator shows beside the passkey; whether it is taken is not looked at.";
    let operation = Operation::new(
        "beginPasskeySignUp",
        "passkeys",
        "Begin a sign-up with a passkey",
        description,
    )
    .body(
        "PasskeySignUp",
        "Who signs up.",
        [Member::required("email", email())],
        [("The address", json!({ "email": "ann@example.org" }))],
    );
    creation_docs(operation)
}
