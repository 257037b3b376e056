//! `POST /factors/reset/stop` and `DELETE /factors/reset`: the owner stops a reset of the factors that an operator has ordered.

use crate::kit::{
    body::Body,
    caller::{BearerCaller, RequestClient},
    openapi::Operation,
    problem::Problem,
    proof::{self, PROOF, members_with, shown_anywhere_docs},
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{StopFactorReset, StopFactorResetError};
use serde_json::json;

/// `POST /factors/reset/stop`
pub(crate) async fn stop_by_proof(
    use_case: UseCase<StopFactorReset>,
    caller: RequestClient,
    body: Body,
) -> Result<HttpResponse, Problem> {
    by_proof(use_case, &caller, body).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Stops the reset that a mail told of.
pub(crate) async fn by_proof(
    use_case: UseCase<StopFactorReset>,
    caller: &RequestClient,
    mut body: Body,
) -> Result<(), Problem> {
    let shown = proof::shown(&mut body, caller);
    let (shown, client) = (body.finish(shown)?, caller.described());
    use_case
        .run(async move |case| case.by_proof(&shown, &client).await)
        .await??;
    Ok(())
}

/// `DELETE /factors/reset`
pub(crate) async fn stop(
    use_case: UseCase<StopFactorReset>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    use_case
        .run(async move |case| case.in_session(&caller.0).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

impl From<StopFactorResetError> for Problem {
    fn from(error: StopFactorResetError) -> Self {
        match error {
            StopFactorResetError::Proof(refused) => refused.into(),
            StopFactorResetError::Refused(refused) => refused.into(),
            StopFactorResetError::NotFound => Self::not_found("No reset of your factors waits."),
            StopFactorResetError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn stop_by_proof_docs() -> Operation {
    let description = "Stops a reset of the account's factors that an operator has ordered: with the code or the link of the mail that told of it. The \
                       link counts on any client, as long as the reset waits.";
    let [id, code, secret] = members_with("It counts on any client.");
    let operation = Operation::new(
        "stopFactorReset",
        "factors",
        "Stop a reset of factors by its mail",
        description,
    )
    .body(
        "FactorResetStop",
        "The proof.",
        [id, code, secret],
        [(
            "With the secret of the link",
            json!({ "proof": PROOF, "secret": "h3K0n9Vb2uQ5xW8yZ1aC4dE7fG6iJ-_kLmNoPqRsTuV" }),
        )],
    )
    .empty(204, "The factors stay as they are.");
    shown_anywhere_docs(operation)
}

pub(crate) fn stop_docs() -> Operation {
    let description = "Stops a reset of the account's factors that an operator has ordered. `GET /factors` says whether one waits. It needs no \
                       reauthentication.";
    Operation::new(
        "stopOwnFactorReset",
        "factors",
        "Stop a reset of factors",
        description,
    )
    .bearer_on_device()
    .empty(204, "The factors stay as they are.")
    .problems([StopFactorResetError::NotFound.into()])
}
