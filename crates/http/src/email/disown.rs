//! `POST /email/disown`: an account with this address is another person's.

use crate::kit::{
    body::Body,
    caller::RequestClient,
    openapi::Operation,
    problem::Problem,
    proof::{self, PROOF, members, shown_docs},
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{DisownEmail, DisownEmailError};
use serde_json::json;

/// `POST /email/disown`
pub(crate) async fn disown(
    use_case: UseCase<DisownEmail>,
    caller: RequestClient,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let shown = proof::shown(&mut body, &caller);
    let (shown, client) = (body.finish(shown)?, caller.described());
    use_case
        .run(async move |case| case.execute(&shown, &client).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

impl From<DisownEmailError> for Problem {
    fn from(error: DisownEmailError) -> Self {
        match error {
            DisownEmailError::Proof(refused) => refused.into(),
            DisownEmailError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn disown_docs() -> Operation {
    let description = "Says \"this was not me\" to a mail that asks to verify an address: the account, which has never verified it, is deleted, since nothing but \
                       the address opens it. An address that is verified is `proof_gone`.";
    let [id, code, secret] = members();
    let operation = Operation::new("disownEmail", "account", "Disown an account", description)
        .body(
            "EmailDisownment",
            "The proof.",
            [id, code, secret],
            [(
                "With the code of the mail",
                json!({ "proof": PROOF, "code": "204816" }),
            )],
        )
        .empty(204, "The account is gone.");
    shown_docs(operation)
}
