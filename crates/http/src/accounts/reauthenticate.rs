//! `POST /reauthenticate`: the password once more, before what is sensitive.

use super::{conflict, wrong_password};
use crate::kit::{
    answer::{Instant, sample},
    body::Body,
    caller::BearerCaller,
    openapi::{Member, Operation, example, known_password},
    problem::Problem,
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::Password,
    policy::SessionPolicy,
    use_cases::{Reauthenticate, ReauthenticateError, Reauthenticated},
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
    body: Body,
) -> Result<HttpResponse, Problem> {
    let current = parse(body)?;
    let reauthenticated = use_case
        .run(async move |case| case.execute(&caller.0, &current).await)
        .await??;
    Ok(HttpResponse::Ok().json(Answer::from(&reauthenticated)))
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
            ReauthenticateError::Conflict => conflict(),
        }
    }
}

pub(crate) fn reauthenticate_docs() -> Operation {
    let description = "Shows the password once more. What is answered as `reauthentication` is sent as `Revolve-Reauthentication` with what is \
                       sensitive: it exports and deletes the account, and stands in for `currentPassword`. It is good for this session only, for \
                       some minutes; an end of the session and a change of the password void it, and so does a sign-out of the \
                       others. Show it to this API and to nobody else.\n\nThe ID token beside it says in `auth_time` that the password \
                       was shown now, for services that ask for that. The refresh token stays as it is; the ID token of the next \
                       refresh names the sign-in again.\n\n`conflict` says that the password or the sessions were changed while the \
                       password was checked: nothing was given.";
    let answer = Answer {
        reauthentication: sample::TOKEN,
        expires_in: SessionPolicy::default().reauthentication_lifetime.as_secs(),
        tokens: IdTokenAnswer {
            id_token: sample::TOKEN,
            id_token_expires_at: sample::later(0, 15),
        },
    };
    let password = known_password("The account's password. `too_long`");
    Operation::new("reauthenticate", "account", "Reauthenticate", description)
        .bearer_on_device()
        .body(
            "Reauthenticate",
            "The password.",
            [Member::required("currentPassword", password)],
            [(
                "The password",
                json!({ "currentPassword": "correct horse battery" }),
            )],
        )
        .json::<Answer<'_>, 1>(
            200,
            "The password is right.",
            [("The password is right", example(&answer))],
        )
        .problems(
            [
                ReauthenticateError::WrongPassword,
                ReauthenticateError::Conflict,
            ]
            .map(Problem::from),
        )
}
