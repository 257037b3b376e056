//! `POST /email/confirm`: the address of an account is verified, or changed to one that is.

use crate::{
    accounts::{email_taken, wrong_password},
    kit::{
        body::Body,
        caller::{BearerCaller, RequestClient},
        openapi::Operation,
        problem::Problem,
        proof::{self, PROOF, members, shown_docs},
        use_case::UseCase,
    },
};
use actix_web::{HttpResponse, http::StatusCode};
use revolve_domain::use_cases::{ConfirmEmail, ConfirmEmailError, ConfirmEmailRequest};
use serde_json::json;

/// `POST /email/confirm`
pub(crate) async fn confirm(
    use_case: UseCase<ConfirmEmail>,
    bearer: Option<BearerCaller>,
    caller: RequestClient,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let proof = proof::shown(&mut body, &caller);
    let request = ConfirmEmailRequest {
        proof: body.finish(proof)?,
        caller: bearer.map(|bearer| bearer.0),
        password: None,
        client: caller.described(),
    };
    use_case
        .run(async move |case| case.execute(&request).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

fn session_required() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "session_required",
        "The code counts only in a session of the account; to verify, also where the mail was asked for.",
    )
}

impl From<ConfirmEmailError> for Problem {
    fn from(error: ConfirmEmailError) -> Self {
        match error {
            ConfirmEmailError::Proof(refused) => refused.into(),
            ConfirmEmailError::SessionRequired => session_required(),
            ConfirmEmailError::WrongPassword => wrong_password(),
            ConfirmEmailError::EmailTaken => email_taken(),
            ConfirmEmailError::Refused(refused) => refused.into(),
        }
    }
}

pub(crate) fn confirm_docs() -> Operation {
    let description = "Verifies the address of an account, or changes it where `PUT /details` asked for that: then the old address, if it was \
                       verified, is sent a proof that undoes it for three days, in which no other account gets it. A change needs an ID token of the account. A \
                       verification counts with one, or in the browser or on the device that asked for the mail (or signed up): \
                       nobody verifies the address of an account that a stranger has made.";
    let [id, code, secret] = members();
    let operation = Operation::new("confirmEmail", "account", "Verify the address", description)
        .maybe_bearer()
        .body(
            "EmailConfirmation",
            "The proof.",
            [id, code, secret],
            [
                (
                    "With the code of the mail",
                    json!({ "proof": PROOF, "code": "204816" }),
                ),
                (
                    "With the secret of its link, where the mail was asked for",
                    json!({ "proof": PROOF, "secret": "h3K0n9Vb2uQ5xW8yZ1aC4dE7fG6iJ-_kLmNoPqRsTuV" }),
                ),
            ],
        )
        .empty(204, "The address is verified; if it was to change, it has changed.")
        .problems([session_required(), email_taken()]);
    shown_docs(operation)
}
