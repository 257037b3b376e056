//! `POST /signin/code` and `/signin/code/confirm`: a sign-in without a password, by a proof of the mailbox.

use super::begun::{answer, begun_docs, device_name, second_step, second_step_docs};
use crate::kit::{
    answer::sample,
    body::Body,
    caller::RequestClient,
    even::evened,
    openapi::{Member, Operation, email},
    problem::Problem,
    proof::{self, PROOF, mail_not_configured, members, requested, requested_docs, shown_docs},
    token_mode::TokenMode,
    use_case::UseCase,
};
use actix_web::{HttpResponse, http::StatusCode};
use revolve_domain::{
    model::{EmailAddress, Label},
    use_cases::{
        RequestSignInCode, RequestSignInCodeError, SignInByCode, SignInByCodeError,
        SignInByCodeRequest, SignInCodeRequest, SignInError,
    },
};
use serde_json::json;

/// `POST /signin/code`
pub(crate) async fn request_code(
    use_case: UseCase<RequestSignInCode>,
    caller: RequestClient,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let email = body.required("email", EmailAddress::present);
    let request = SignInCodeRequest {
        email: body.finish(email)?,
        locale: caller.language.clone(),
        asker: caller.asker(),
        client: caller.described(),
    };
    let asked = use_case.run(async move |case| case.execute(request).await);
    let proof = evened(asked).await??;
    Ok(requested(&caller, &proof))
}

/// `POST /signin/code/confirm`
pub(crate) async fn sign_in_by_code(
    use_case: UseCase<SignInByCode>,
    caller: RequestClient,
    mode: TokenMode,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let proof = proof::shown(&mut body, &caller);
    let device_name = body.optional("deviceName", Label::parse);
    let request = SignInByCodeRequest {
        proof: body.finish(proof)?,
        device_name,
        client: caller.described(),
    };
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await?;
    match begun {
        Ok(begun) => Ok(answer(StatusCode::OK, &begun, &caller, &mode)),
        Err(SignInByCodeError::FactorRequired(step)) => Err(second_step(&step, &caller, &mode)),
        Err(error) => Err(error.into()),
    }
}

impl From<RequestSignInCodeError> for Problem {
    fn from(error: RequestSignInCodeError) -> Self {
        match error {
            RequestSignInCodeError::Off => sign_in_code_off(),
            RequestSignInCodeError::MailNotConfigured => mail_not_configured(),
            RequestSignInCodeError::Limited(limited) => limited.into(),
            RequestSignInCodeError::Failed(failure) => failure.into(),
        }
    }
}

impl From<SignInByCodeError> for Problem {
    fn from(error: SignInByCodeError) -> Self {
        match error {
            SignInByCodeError::Off => sign_in_code_off(),
            SignInByCodeError::Proof(refused) => refused.into(),
            SignInByCodeError::Superseded => SignInError::Superseded.into(),
            SignInByCodeError::FactorRequired(step) => Problem::factor_required(&step),
            SignInByCodeError::Failed(failure) => failure.into(),
        }
    }
}

/// 409: `accounts.sign_in_code` is off.
pub(crate) fn sign_in_code_off() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "sign_in_code_off",
        "No code signs in here; sign in with the password.",
    )
}

pub(crate) fn request_code_docs() -> Operation {
    let description = "Sends a mail with a code and a link that sign in without the password. The answer is the same, in the same time, whether or not \
                       there is such an account. The proof lives 10 minutes; a newer one of the same account voids it, but for the client that asked \
                       for it: that gets the same proof with another code.\n\nAn account whose address was never verified gets a mail that says so, \
                       without a code, since somebody else may have made it: its user verifies the address, or sets a new password by a recovery. \
                       `accounts.sign_in_code` is off by default.";
    let operation = Operation::new(
        "requestSignInCode",
        "account",
        "Ask for a code to sign in",
        description,
    )
    .device()
    .body(
        "SignInCode",
        "Who signs in.",
        [Member::required("email", email())],
        [("The least", json!({ "email": "ann@example.org" }))],
    );
    requested_docs(operation).problems([sign_in_code_off(), mail_not_configured()])
}

pub(crate) fn sign_in_by_code_docs() -> Operation {
    let description = "Begins a session as `POST /signin` does, with a proof in place of the password; its ID tokens have `amr` `[\"otp\"]`. Five codes can \
                       be tried for each proof. It is spent with the beginning of the session: after an answer that was lost, ask for another one. \
                       It is void once the password or the address is changed, or all sessions are ended.\n\nThe code is no factor: an account with one gets 403 \
                       `factor_required`, which spends the code.";
    let [id, code, secret] = members();
    let operation = Operation::new(
        "signInByCode",
        "account",
        "Sign in by a code",
        description,
    )
    .device()
    .body(
        "SignInConfirmation",
        "The proof.",
        [id, code, secret, device_name()],
        [
            (
                "With the code of the mail",
                json!({ "proof": PROOF, "code": "204816" }),
            ),
            (
                "With the secret of its link, where the mail was asked for",
                json!({ "proof": PROOF, "secret": "h3K0n9Vb2uQ5xW8yZ1aC4dE7fG6iJ-_kLmNoPqRsTuV", "deviceName": "Ann's phone" }),
            ),
        ],
    );
    let operation = begun_docs(
        operation,
        200,
        "A session has begun.",
        &[sample::OTHER_SESSION],
    );
    shown_docs(second_step_docs(operation))
        .problems([sign_in_code_off(), SignInError::Superseded.into()])
}
