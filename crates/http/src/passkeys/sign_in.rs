//! `POST /signin/passkey/options` and `POST /signin/passkey`: a sign-in without a user name and a password.

use crate::{
    accounts::begun::{answer, begun_docs, device_name},
    kit::{
        answer::sample,
        body::NestedBody,
        caller::RequestClient,
        factor::{
            ASSERTION, CHALLENGE, ChallengeAnswer, assertion_example, challenge, challenge_member,
            credential, request_docs, required_credential,
        },
        openapi::Operation,
        problem::Problem,
        token_mode::TokenMode,
        use_case::UseCase,
    },
};
use actix_web::{HttpResponse, http::StatusCode};
use revolve_domain::{
    model::Label,
    use_cases::{BeginPasskeySignIn, FactorSignInError, PasskeySignInRequest, SignInByPasskey},
};
use serde_json::json;

/// `POST /signin/passkey/options`
pub(crate) async fn sign_in_options(
    use_case: UseCase<BeginPasskeySignIn>,
    caller: RequestClient,
) -> Result<HttpResponse, Problem> {
    let client = caller.described();
    let begun = use_case
        .run(async move |case| case.execute(&client).await)
        .await??;
    Ok(HttpResponse::Ok().json(ChallengeAnswer::from(&begun)))
}

/// `POST /signin/passkey`
pub(crate) async fn sign_in(
    use_case: UseCase<SignInByPasskey>,
    caller: RequestClient,
    mode: TokenMode,
    body: NestedBody,
) -> Result<HttpResponse, Problem> {
    let request = parse(body, &caller)?;
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    Ok(answer(StatusCode::OK, &begun, &caller, &mode))
}

fn parse(
    NestedBody { mut body, .. }: NestedBody,
    caller: &RequestClient,
) -> Result<PasskeySignInRequest, Problem> {
    let (challenge, credential) = (challenge(&mut body), credential(&mut body));
    let device_name = body.optional("deviceName", Label::parse);
    let (challenge, credential) = body.finish(challenge.zip(credential))?;
    Ok(PasskeySignInRequest {
        challenge,
        credential,
        device_name,
        device_credentials: caller.device_credentials.clone(),
        client: caller.described(),
    })
}

pub(crate) fn sign_in_options_docs() -> Operation {
    let description = "Begins a sign-in with a passkey. No user name is asked for: give `publicKey` to `navigator.credentials.get()`, also with \
                       `mediation: \"conditional\"`, so that the browser offers passkeys where it fills in forms.";
    request_docs(Operation::new(
        "beginPasskeySignIn",
        "passkeys",
        "Begin a sign-in with a passkey",
        description,
    ))
}

pub(crate) fn sign_in_docs() -> Operation {
    let description = "Begins a session as `POST /signin` does, with a passkey. Its authenticator has verified the user, so that no second step follows. A \
                       challenge counts once, for five minutes: after `challenge_gone` or `credential_refused` begin again.\n\n\
                       `credential_refused` says nothing of why: a passkey that is not known here, of another site, without user verification.";
    let operation = Operation::new(
        "signInByPasskey",
        "passkeys",
        "Sign in with a passkey",
        description,
    )
    .device()
    .body(
        "PasskeySignIn",
        "The passkey.",
        [
            challenge_member("What `POST /signin/passkey/options` answered as `challenge`."),
            required_credential(ASSERTION),
            device_name(),
        ],
        [(
            "A passkey",
            json!({ "challenge": CHALLENGE, "credential": assertion_example(), "deviceName": "Ann's phone" }),
        )],
    )
    .problems(
        [
            FactorSignInError::Gone,
            FactorSignInError::CredentialRefused,
            FactorSignInError::Superseded,
        ]
        .map(Problem::from),
    );
    begun_docs(
        operation,
        200,
        "A session has begun.",
        &[sample::OTHER_SESSION],
    )
}
