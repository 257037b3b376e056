//! `POST /signup/confirm`: a new account, once its mailbox is proved.

use super::{
    begun::{answer, begun_docs, device_name},
    email_taken, wrong_password,
};
use crate::kit::{
    body::Body,
    caller::RequestClient,
    factor::credential_refused,
    openapi::{Member, Operation, known_password},
    problem::{FieldProblem, Problem},
    proof::{self, PROOF, members, shown_docs},
    token_mode::TokenMode,
    use_case::UseCase,
};
use actix_web::{HttpResponse, http::StatusCode};
use revolve_domain::{
    model::{Label, Password},
    use_cases::{ConfirmSignUp, ConfirmSignUpError, ConfirmSignUpRequest},
};
use serde_json::json;

/// `POST /signup/confirm`
pub(crate) async fn confirm(
    use_case: UseCase<ConfirmSignUp>,
    caller: RequestClient,
    mode: TokenMode,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = confirmation(body, &caller)?;
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    Ok(answer(StatusCode::CREATED, &begun, &caller, &mode))
}

/// Reads what proves a sign-up.
pub(crate) fn confirmation(
    mut body: Body,
    caller: &RequestClient,
) -> Result<ConfirmSignUpRequest, Problem> {
    let proof = proof::shown(&mut body, caller);
    let password = body.optional_secret("password", Password::present);
    let device_name = body.optional("deviceName", Label::parse);
    Ok(ConfirmSignUpRequest {
        proof: body.finish(proof)?,
        password,
        device_name,
        client: caller.described(),
    })
}

impl From<ConfirmSignUpError> for Problem {
    fn from(error: ConfirmSignUpError) -> Self {
        match error {
            ConfirmSignUpError::Proof(refused) => refused.into(),
            ConfirmSignUpError::PasswordRequired => Self::fields(vec![FieldProblem::new(
                "password",
                "missing",
                "is needed on another client than the one that signed up",
            )]),
            ConfirmSignUpError::WrongPassword => wrong_password(),
            ConfirmSignUpError::EmailTaken => email_taken(),
            ConfirmSignUpError::OtherClient => Self::new(
                StatusCode::FORBIDDEN,
                "other_client",
                "The code of a sign-up with a passkey counts only on the client that signed up.",
            ),
            ConfirmSignUpError::CredentialRefused => credential_refused(),
            ConfirmSignUpError::Failed(failure) => failure.into(),
        }
    }
}

pub(crate) fn confirm_docs() -> Operation {
    let description = "Makes the account that a sign-up asked for, with the password of that sign-up, and signs it in. Other sign-ups of the address \
                       are void from then on. Without the cookie or the device credential of the sign-up, `password` is needed: nobody makes an \
                       account with the password of a stranger who signed up with the address. If it is missing, the right code uses up no \
                       attempt; a wrong one counts as an attempt.\n\nA sign-up with a passkey is proved by the client that signed up and by no other, which gets \
                       `other_client`. The answer has its `recoveryCodes`. `credential_refused` says that another account has got the passkey meanwhile.";
    let password = known_password(
        "The password of the sign-up. Needed unless the cookie that the sign-up set, or the device credential that it showed, is sent; one that is \
         given is checked in any case. `missing`, `too_long`",
    );
    let [id, code, secret] = members();
    let operation = Operation::new("confirmSignUp", "account", "Prove a sign-up", description)
        .device()
        .body(
            "SignUpConfirmation",
            "The proof.",
            [
                id,
                code,
                secret,
                Member::optional("password", password),
                device_name(),
            ],
            [
                (
                    "Where it was signed up",
                    json!({ "proof": PROOF, "code": "204816", "deviceName": "Ann's phone" }),
                ),
                (
                    "On another client",
                    json!({ "proof": PROOF, "code": "204816", "password": "correct horse battery" }),
                ),
            ],
        )
        .problems([wrong_password(), email_taken()])
        .problems(
            [
                ConfirmSignUpError::OtherClient,
                ConfirmSignUpError::CredentialRefused,
            ]
            .map(Problem::from),
        );
    let done = "The account is made, and a session has begun.";
    shown_docs(begun_docs(operation, 201, done, &[]))
}
