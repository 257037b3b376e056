//! `POST /signin/factor`: the second step of a sign-in.

use crate::{
    accounts::begun::{answer, begun_docs},
    kit::{
        answer::sample,
        body::NestedBody,
        caller::RequestClient,
        factor::{
            self, ASSERTION, CHALLENGE, assertion_example, challenge_member, credential_member,
            recovery_code_schema, totp_schema,
        },
        openapi::{Member, Operation},
        problem::Problem,
        token_mode::TokenMode,
        use_case::UseCase,
    },
};
use actix_web::{HttpResponse, http::StatusCode};
use revolve_domain::use_cases::{FactorSignInError, SecondStepRequest, SignInByFactor};
use serde_json::json;

/// `POST /signin/factor`
pub(crate) async fn sign_in(
    use_case: UseCase<SignInByFactor>,
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
) -> Result<SecondStepRequest, Problem> {
    let challenge = factor::challenge(&mut body);
    let ways = ["totp", "recoveryCode", "credential"];
    if !ways.iter().any(|way| body.has(way)) {
        body.refuse(
            "totp",
            "missing",
            "is needed, unless there is another factor",
        );
    }
    let factor = factor::shown(&mut body);
    let (challenge, factor) = body.finish(challenge.zip(factor))?;
    Ok(SecondStepRequest {
        challenge,
        factor,
        device_credentials: caller.device_credentials.clone(),
        client: caller.described(),
    })
}

pub(crate) fn sign_in_docs() -> Operation {
    let description = "Goes on after 403 `factor_required`: with one of the `factors` that it named, and the device that it handed out, as the cookie or as \
                       `Revolve-Device`. Begins a session as `POST /signin` does.\n\nFive codes can be tried for each challenge, within five minutes. \
                       `challenge_gone` says that it is over, or that this is not its device: sign in from the beginning. A change of the password, \
                       and whatever else ends all sessions, voids it. A code counts once, whatever the challenge: `code_used` asks to wait for the next.\n\n\
                       For a passkey, give `publicKey` of the 403 to the browser.";
    let operation = Operation::new("signInByFactor", "factors", "Show a factor", description)
        .device()
        .body(
            "SecondStep",
            "A factor: one of `totp`, `recoveryCode` and `credential`.",
            [
                challenge_member("The challenge that was answered."),
                Member::optional("totp", totp_schema()),
                Member::optional("recoveryCode", recovery_code_schema()),
                credential_member(ASSERTION),
            ],
            [
                (
                    "A code of the app",
                    json!({ "challenge": CHALLENGE, "totp": "204816" }),
                ),
                (
                    "A recovery code",
                    json!({ "challenge": CHALLENGE, "recoveryCode": "7Q2M-X0HD-93VK-ZT4P" }),
                ),
                (
                    "A passkey",
                    json!({ "challenge": CHALLENGE, "credential": assertion_example() }),
                ),
            ],
        )
        .problems(
            [
                FactorSignInError::Gone,
                FactorSignInError::WrongCode { attempts_left: 4 },
                FactorSignInError::CodeUsed { attempts_left: 4 },
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
