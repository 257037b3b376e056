//! `POST /reauthenticate`: the password or a factor once more, before what is sensitive.

use super::{conflict, wrong_password};
use crate::kit::{
    answer::{Instant, sample},
    body::{Body, NestedBody},
    caller::BearerCaller,
    factor::{
        self, ASSERTION, CHALLENGE, ChallengeAnswer, assertion_example, challenge_gone,
        challenge_schema, credential_member, credential_refused, recovery_code_schema,
        request_docs, totp_schema,
    },
    openapi::{Member, Operation, example, known_password},
    problem::{FieldProblem, Problem},
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::Password,
    policy::SessionPolicy,
    use_cases::{Reauthenticate, ReauthenticateError, ReauthenticateRequest, Reauthenticated},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// The password was shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reauthenticated)]
struct Answer<'a> {
    #[schema(schema_with = sample::reauthentication)]
    reauthentication: &'a str,
    /// So many seconds it counts, unless the session ends or the password is changed before.
    #[schema(minimum = 1)]
    expires_in: u64,
    tokens: IdTokenAnswer<'a>,
}

/// A fresh ID token of the session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FreshIdToken)]
struct IdTokenAnswer<'a> {
    #[schema(schema_with = sample::id_token)]
    id_token: &'a str,
    /// When to have refreshed.
    id_token_expires_at: Instant,
}

impl<'a> From<&'a Reauthenticated> for Answer<'a> {
    fn from(reauthenticated: &'a Reauthenticated) -> Self {
        Self {
            reauthentication: reauthenticated.token.expose_secret(),
            expires_in: reauthenticated.expires_in.as_secs(),
            tokens: IdTokenAnswer {
                id_token: reauthenticated.id_token.expose_secret(),
                id_token_expires_at: reauthenticated.id_expires_at.into(),
            },
        }
    }
}

/// `POST /reauthenticate`
pub(crate) async fn reauthenticate(
    use_case: UseCase<Reauthenticate>,
    caller: BearerCaller,
    NestedBody { body, .. }: NestedBody,
) -> Result<HttpResponse, Problem> {
    let request = shown(body)?;
    let reauthenticated = use_case
        .run(async move |case| case.by(&caller.0, request).await)
        .await??;
    Ok(HttpResponse::Ok().json(Answer::from(&reauthenticated)))
}

/// `POST /reauthenticate/passkey/options`
pub(crate) async fn begin_passkey(
    use_case: UseCase<Reauthenticate>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    let begun = use_case
        .run(async move |case| case.begin_passkey(&caller.0).await)
        .await??;
    Ok(HttpResponse::Ok().json(ChallengeAnswer::from(&begun)))
}

/// Reads `currentPassword` or a factor, or both, and the challenge of a passkey.
pub(crate) fn shown(mut body: Body) -> Result<ReauthenticateRequest, Problem> {
    let has_challenge = body.has("challenge");
    let has_passkey = body.has("credential");
    let ways = ["currentPassword", "totp", "recoveryCode"];
    if has_challenge && !has_passkey {
        body.refuse("credential", "missing", "is needed beside `challenge`");
    } else if !has_passkey && !ways.iter().any(|way| body.has(way)) {
        body.refuse(
            "currentPassword",
            "missing",
            "is needed, unless there is a factor",
        );
    }
    let password = body.optional_secret("currentPassword", Password::present);
    let factor = factor::shown(&mut body);
    let challenge = (has_challenge || has_passkey)
        .then(|| factor::challenge(&mut body))
        .flatten();
    body.finish(Some(ReauthenticateRequest {
        password,
        factor,
        challenge,
    }))
}

pub(crate) fn parse(mut body: Body) -> Result<Password, Problem> {
    let current = body.secret("currentPassword", Password::present);
    body.finish(current)
}

impl From<ReauthenticateError> for Problem {
    fn from(error: ReauthenticateError) -> Self {
        match error {
            ReauthenticateError::Refused(refused) => refused.into(),
            ReauthenticateError::WrongPassword => wrong_password(),
            ReauthenticateError::WrongCode => Self::wrong_factor_code(),
            ReauthenticateError::CodeUsed => Self::code_used(None),
            ReauthenticateError::CredentialRefused => credential_refused(),
            ReauthenticateError::Gone => challenge_gone(),
            ReauthenticateError::NothingShown => Self::fields(vec![FieldProblem::new(
                "currentPassword",
                "missing",
                "is needed, unless there is a factor",
            )]),
            ReauthenticateError::Conflict => conflict(),
        }
    }
}

pub(crate) fn reauthenticate_docs() -> Operation {
    let description = "Shows the password or a factor once more: a code of the authenticator app, a recovery code, or a passkey with its `challenge`. Both the password \
                       and a factor may be shown. What is answered as `reauthentication` is sent as `Revolve-Reauthentication` with what is \
                       sensitive: it exports and deletes the account, changes its factors, and stands in for `currentPassword`. It is good for this session only, for \
                       some minutes; an end of the session and a change of the password void it, and so does a sign-out of the \
                       others. Show it to this API and to nobody else.\n\nThe ID token beside it says in `auth_time` and `amr` what \
                       was shown now, for services that ask for that. The refresh token stays as it is; the ID token of the next \
                       refresh names the sign-in again.\n\n`conflict` says that the password or the sessions were changed while the \
                       password was checked: nothing was given. A code or a challenge that was taken is spent, whatever is answered.";
    let answer = Answer {
        reauthentication: sample::TOKEN,
        expires_in: SessionPolicy::default().reauthentication_lifetime.as_secs(),
        tokens: IdTokenAnswer {
            id_token: sample::TOKEN,
            id_token_expires_at: sample::later(0, 15),
        },
    };
    let password = known_password("The account's password. `too_long`");
    let challenge = challenge_schema(
        "What `POST /reauthenticate/passkey/options` answered as `challenge`, beside `credential`.",
    );
    Operation::new("reauthenticate", "account", "Reauthenticate", description)
        .bearer_to_set_up()
        .body(
            "Reauthenticate",
            "The password, or a factor.",
            [
                Member::optional("currentPassword", password),
                Member::optional("totp", totp_schema()),
                Member::optional("recoveryCode", recovery_code_schema()),
                Member::optional("challenge", challenge),
                credential_member(ASSERTION),
            ],
            [
                (
                    "The password",
                    json!({ "currentPassword": "correct horse battery" }),
                ),
                ("A code of the app", json!({ "totp": "204816" })),
                (
                    "A passkey",
                    json!({ "challenge": CHALLENGE, "credential": assertion_example() }),
                ),
            ],
        )
        .json::<Answer<'_>, 1>(
            200,
            "What was shown is right.",
            [("What was shown is right", example(&answer))],
        )
        .problems(
            [
                ReauthenticateError::WrongPassword,
                ReauthenticateError::WrongCode,
                ReauthenticateError::CodeUsed,
                ReauthenticateError::CredentialRefused,
                ReauthenticateError::Gone,
                ReauthenticateError::Conflict,
            ]
            .map(Problem::from),
        )
}

pub(crate) fn begin_passkey_docs() -> Operation {
    let description = "Begins to show a passkey of the account, for `POST /reauthenticate`. `credential_refused` says that the account has none.";
    let operation = Operation::new(
        "beginReauthentication",
        "account",
        "Ask for a passkey to reauthenticate",
        description,
    );
    request_docs(operation.bearer_to_set_up()).problems([credential_refused()])
}
