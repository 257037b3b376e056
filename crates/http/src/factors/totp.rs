//! `POST /factors/totp`, `POST /factors/totp/confirm` and `DELETE /factors/totp`: the authenticator app of an account.

use super::{CodesAnswer, codes_docs};
use crate::kit::{
    body::Body,
    caller::BearerCaller,
    factor::{one_time_code, totp_schema},
    openapi::{Member, Operation, example},
    problem::Problem,
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::use_cases::{ChangeFactorsError, ManageTotp, NewTotp};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// What an authenticator app is set up with. It is not shown again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewTotp)]
struct NewTotpAnswer<'a> {
    /// The secret in base 32, to be typed.
    secret: &'a str,
    /// The same and what else the app needs: `otpauth://totp/…`.
    #[schema(format = "uri")]
    uri: &'a str,
    /// The URI as a QR code: an `<svg>` element without scripts and references.
    qr_code: &'a str,
}

impl<'a> From<&'a NewTotp> for NewTotpAnswer<'a> {
    fn from(new: &'a NewTotp) -> Self {
        Self {
            secret: new.secret.expose_secret(),
            uri: new.uri.expose_secret(),
            qr_code: new.qr_code.expose_secret(),
        }
    }
}

/// `POST /factors/totp`
pub(crate) async fn set_up(
    use_case: UseCase<ManageTotp>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    let new = use_case
        .run(async move |case| case.set_up(&caller.0).await)
        .await??;
    Ok(HttpResponse::Ok().json(NewTotpAnswer::from(&new)))
}

/// `POST /factors/totp/confirm`
pub(crate) async fn confirm(
    use_case: UseCase<ManageTotp>,
    caller: BearerCaller,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let code = body.secret("code", one_time_code);
    let code = body.finish(code)?;
    let codes = use_case
        .run(async move |case| case.confirm(&caller.0, &code).await)
        .await??;
    Ok(HttpResponse::Ok().json(CodesAnswer::from(codes.as_ref())))
}

/// `DELETE /factors/totp`
pub(crate) async fn remove(
    use_case: UseCase<ManageTotp>,
    caller: BearerCaller,
) -> Result<HttpResponse, Problem> {
    use_case
        .run(async move |case| case.remove(&caller.0).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) fn set_up_docs() -> Operation {
    let description = "Makes the secret of an authenticator app. It counts for nothing before `POST /factors/totp/confirm`, and one that waited \
                       before is gone. Show the QR code, and `secret` for those who can't scan it.";
    let answer = NewTotpAnswer {
        secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        uri: "otpauth://totp/Example:ann%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA1&digits=6&period=30",
        qr_code: "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 45 45\"></svg>",
    };
    Operation::new(
        "setUpTotp",
        "factors",
        "Set up an authenticator app",
        description,
    )
    .bearer_to_set_up()
    .reauthentication()
    .json::<NewTotpAnswer<'_>, 1>(
        200,
        "The app waits for its first code.",
        [("For the app", example(&answer))],
    )
    .problems([ChangeFactorsError::AlreadySetUp.into()])
}

pub(crate) fn confirm_docs() -> Operation {
    let description = "Makes the app count, by a code that it shows. That code counts no more. If the account had no recovery codes, they are \
                       answered, this once. The first factor of an account ends all of its other sessions, and reauthentications \
                       count no more. In a session that had to set up a factor, refresh now.\n\n`challenge_gone` says that no app waits.";
    let operation = Operation::new(
        "confirmTotp",
        "factors",
        "Confirm an authenticator app",
        description,
    )
    .bearer_to_set_up()
    .reauthentication()
    .body(
        "TotpConfirmation",
        "The first code.",
        [Member::required("code", totp_schema())],
        [("A code of the app", json!({ "code": "204816" }))],
    )
    .problems([ChangeFactorsError::WrongCode, ChangeFactorsError::Gone].map(Problem::from));
    codes_docs(operation, "The app counts.")
}

pub(crate) fn remove_docs() -> Operation {
    let description = "Removes the authenticator app, confirmed or not. The recovery codes go with the last factor. `last_factor` says that \
                       `accounts.require_factor` is `always` and there is no passkey.";
    Operation::new(
        "removeTotp",
        "factors",
        "Remove the authenticator app",
        description,
    )
    .bearer_to_set_up()
    .reauthentication()
    .empty(204, "It counts no more.")
    .problems([ChangeFactorsError::NotFound, ChangeFactorsError::LastFactor].map(Problem::from))
}
