//! `POST /recovery/confirm`: a new password by a proof of the mailbox.

use crate::{
    accounts::{
        begun::{answer, begun_docs, device_name, second_step, second_step_docs},
        conflict, email_taken,
    },
    kit::{
        body::Body,
        caller::RequestClient,
        openapi::{Member, Operation, new_password},
        problem::{FieldProblem, Problem},
        proof::{self, PROOF, members_with, shown_docs},
        token_mode::TokenMode,
        use_case::UseCase,
    },
};
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use revolve_domain::{
    model::{Label, Password, ProofPurpose},
    policy::PasswordPolicy,
    use_cases::{Begun, Recover, RecoverError, RecoverRequest},
};
use serde_json::json;

/// `POST /recovery/confirm`
pub(crate) async fn confirm(
    use_case: UseCase<Recover>,
    caller: RequestClient,
    mode: TokenMode,
    policy: Data<PasswordPolicy>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = confirmation(body, &caller, policy.min_length)?;
    let begun = use_case
        .run(async move |case| case.execute(ProofPurpose::ResetPassword, request).await)
        .await?;
    recovered(begun, &caller, &mode)
}

/// `POST /email/undo/confirm`
pub(crate) async fn undo(
    use_case: UseCase<Recover>,
    caller: RequestClient,
    mode: TokenMode,
    policy: Data<PasswordPolicy>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = confirmation(body, &caller, policy.min_length)?;
    let begun = use_case
        .run(async move |case| case.execute(ProofPurpose::UndoEmail, request).await)
        .await?;
    recovered(begun, &caller, &mode)
}

fn recovered(
    begun: Result<Begun, RecoverError>,
    caller: &RequestClient,
    mode: &TokenMode,
) -> Result<HttpResponse, Problem> {
    match begun {
        Ok(begun) => Ok(answer(StatusCode::OK, &begun, caller, mode)),
        Err(RecoverError::FactorRequired(step)) => Err(second_step(&step, caller, mode)),
        Err(error) => Err(error.into()),
    }
}

/// Reads what proves a mailbox, and the new password.
pub(crate) fn confirmation(
    mut body: Body,
    caller: &RequestClient,
    min_length: usize,
) -> Result<RecoverRequest, Problem> {
    let proof = proof::shown(&mut body, caller);
    let password = body.secret("newPassword", |text| Password::choose(text, min_length));
    let device_name = body.optional("deviceName", Label::parse);
    let (proof, password) = body.finish(proof.zip(password))?;
    Ok(RecoverRequest {
        proof,
        password,
        device_name,
        client: caller.described(),
    })
}

impl From<RecoverError> for Problem {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Proof(refused) => refused.into(),
            RecoverError::WeakPassword(fault) => {
                Self::fields(vec![FieldProblem::invalid("newPassword", fault)])
            }
            RecoverError::EmailTaken => email_taken(),
            RecoverError::FactorRequired(step) => Self::factor_required(&step),
            RecoverError::Superseded => conflict(),
            RecoverError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn confirm_docs() -> Operation {
    let description = "Sets a new password, ends every session of the account and begins one here, with a device credential of its own: none from \
                       before is kept. The address counts as verified. The password is judged like any other; one that is refused uses up no attempt. \
                       Five codes can be tried for each proof. It works while sign-ins are limited.\n\nWhat mail proves is no factor: for an account with \
                       one the password is set and every session is ended, and the answer is 403 `factor_required` in place of a session. \
                       Only an account whose address was never verified loses its factors: they may be a stranger's, who signed up with the address.";
    recovery_docs(Operation::new(
        "recover",
        "account",
        "Set a new password",
        description,
    ))
}

pub(crate) fn undo_docs() -> Operation {
    let description = "Undoes a change of address: with the code of the mail that the old address got, for three days. Restores that address, sets a new \
                       password, ends every session of the account, voids all of its proofs, takes the factors and recovery codes that were added \
                       since the change, and begins a session here; if a factor from before is left, 403 `factor_required` asks for it first. Whatever else was changed in the \
                       meantime, a second change of address included, does not stop it, and no other account gets the address until then. One that has taken \
                       it before (under an earlier release) does stop it, which uses up no attempt: recover that account by its mailbox and delete it, then \
                       undo the change.";
    recovery_docs(Operation::new(
        "undoEmailChange",
        "account",
        "Undo a change of address",
        description,
    ))
    .problems([email_taken()])
}

fn recovery_docs(operation: Operation) -> Operation {
    let [id, code, secret] = members_with(
        "It counts only where the mail was asked for, with the cookie that the request set, or the device credential that it showed; for the undo of a \
         change, where the address was changed; that of an invitation or an operator's link on any client.",
    );
    let operation = operation
        .device()
        .body(
            "RecoveryConfirmation",
            "The proof and the new password.",
            [
                id,
                code,
                secret,
                Member::required("newPassword", new_password()),
                device_name(),
            ],
            [
                (
                    "With the code of the mail",
                    json!({ "proof": PROOF, "code": "204816", "newPassword": "correct horse battery" }),
                ),
                (
                    "With the secret of its link, where the mail was asked for",
                    json!({ "proof": PROOF, "secret": "h3K0n9Vb2uQ5xW8yZ1aC4dE7fG6iJ-_kLmNoPqRsTuV", "newPassword": "correct horse battery" }),
                ),
            ],
        );
    let done = "The password is set, and a session has begun.";
    let operation = second_step_docs(begun_docs(operation, 200, done, &[]));
    shown_docs(operation).problems([conflict()])
}
