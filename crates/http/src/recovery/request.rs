//! `POST /recovery`: a mail that lets its reader set a new password.

use crate::kit::{
    body::Body,
    caller::RequestClient,
    even::evened,
    openapi::{Member, Operation, email},
    problem::Problem,
    proof::{mail_not_configured, requested, requested_docs},
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::EmailAddress,
    use_cases::{RecoveryRequest, RequestRecovery, RequestRecoveryError},
};
use serde_json::json;

/// `POST /recovery`
pub(crate) async fn request(
    use_case: UseCase<RequestRecovery>,
    caller: RequestClient,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = RecoveryRequest {
        email: parse(body)?,
        locale: caller.language.clone(),
        asker: caller.asker(),
        client: caller.described(),
    };
    let asked = use_case.run(async move |case| case.execute(request).await);
    let proof = evened(asked).await??;
    Ok(requested(&caller, &proof))
}

fn parse(mut body: Body) -> Result<EmailAddress, Problem> {
    let email = body.required("email", EmailAddress::present);
    body.finish(email)
}

impl From<RequestRecoveryError> for Problem {
    fn from(error: RequestRecoveryError) -> Self {
        match error {
            RequestRecoveryError::MailNotConfigured => mail_not_configured(),
            RequestRecoveryError::Limited(limited) => limited.into(),
            RequestRecoveryError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn request_docs() -> Operation {
    let description = "Sends a mail with a code and a link to whoever has forgotten the password. The answer is the same, in the same time, \
                       whether or not there is such an account. The proof lives 15 minutes; a newer one of the same account voids it, but for the \
                       client that asked for it: that gets the same proof with another code.";
    let operation = Operation::new(
        "requestRecovery",
        "account",
        "Ask for a recovery",
        description,
    )
    .device()
    .body(
        "Recovery",
        "Whose password is forgotten.",
        [Member::required("email", email())],
        [("The least", json!({ "email": "ann@example.org" }))],
    );
    requested_docs(operation).problems([mail_not_configured()])
}
