//! `POST /email/verify`: a mail that lets its reader verify the address of an account.

use crate::kit::{
    caller::{BearerCaller, RequestClient},
    openapi::Operation,
    problem::Problem,
    proof::{mail_not_configured, requested, requested_docs},
    use_case::UseCase,
};
use actix_web::{HttpResponse, http::StatusCode};
use revolve_domain::use_cases::{RequestVerification, RequestVerificationError};

/// `POST /email/verify`
pub(crate) async fn verify(
    use_case: UseCase<RequestVerification>,
    bearer: BearerCaller,
    caller: RequestClient,
) -> Result<HttpResponse, Problem> {
    let (asker, locale) = (caller.asker(), caller.language.clone());
    let proof = use_case
        .run(async move |case| case.execute(&bearer.0, &asker, locale).await)
        .await??;
    Ok(requested(&caller, &proof))
}

fn already_verified() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "email_verified",
        "The address is verified already.",
    )
}

impl From<RequestVerificationError> for Problem {
    fn from(error: RequestVerificationError) -> Self {
        match error {
            RequestVerificationError::MailNotConfigured => mail_not_configured(),
            RequestVerificationError::AlreadyVerified => already_verified(),
            RequestVerificationError::Refused(refused) => refused.into(),
        }
    }
}

pub(crate) fn verify_docs() -> Operation {
    let description = "Sends a mail with a code and a link to the account's address, to verify it. The proof lives a day; a newer one voids it. A \
                       sign-up sends the first such mail where `accounts.verification` is `optional`.";
    let operation = Operation::new(
        "requestVerification",
        "account",
        "Ask for a verification",
        description,
    )
    .bearer_on_device()
    .problems([already_verified(), mail_not_configured()]);
    requested_docs(operation)
}
