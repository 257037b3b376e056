//! Factors: the second step of a sign-in, authenticator apps, recovery codes, and a reset that the owner stops.

mod list;
mod recovery_codes;
mod reset;
mod sign_in;
mod totp;

pub(crate) use list::{FactorsAnswer, list, list_docs};
pub(crate) use recovery_codes::{replace, replace_docs};
pub(crate) use reset::{by_proof, stop, stop_by_proof, stop_by_proof_docs, stop_docs};
pub(crate) use sign_in::{sign_in, sign_in_docs};
pub(crate) use totp::{confirm, confirm_docs, remove, remove_docs, set_up, set_up_docs};

use crate::{
    accounts::begun::shown_codes,
    kit::{
        answer::sample,
        factor::{challenge_gone, credential_refused},
        openapi::{Operation, example},
        problem::Problem,
    },
};
use actix_web::http::StatusCode;
use revolve_domain::use_cases::{
    ChangeFactorsError, FactorSignInError, ShownRecoveryCodes, SignInError,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a change of the factors gave the account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecoveryCodes)]
struct CodesAnswer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = sample::recovery_codes, required = false)]
    recovery_codes: Option<Vec<&'a str>>,
}

impl<'a> From<Option<&'a ShownRecoveryCodes>> for CodesAnswer<'a> {
    fn from(codes: Option<&'a ShownRecoveryCodes>) -> Self {
        Self {
            recovery_codes: codes.map(shown_codes),
        }
    }
}

/// Describes an answer with recovery codes.
fn codes_docs(operation: Operation, description: &str) -> Operation {
    let answer = CodesAnswer {
        recovery_codes: Some(sample::codes()),
    };
    operation.json::<CodesAnswer<'_>, 1>(
        200,
        description,
        [("With recovery codes", example(&answer))],
    )
}

impl From<FactorSignInError> for Problem {
    fn from(error: FactorSignInError) -> Self {
        match error {
            FactorSignInError::Gone => challenge_gone(),
            FactorSignInError::WrongCode { attempts_left } => Self::wrong_code(attempts_left),
            FactorSignInError::CodeUsed { attempts_left } => Self::code_used(Some(attempts_left)),
            FactorSignInError::CredentialRefused => credential_refused(),
            FactorSignInError::Superseded => SignInError::Superseded.into(),
            FactorSignInError::Limited(limited) => limited.into(),
            FactorSignInError::Failed(failure) => failure.into(),
        }
    }
}

impl From<ChangeFactorsError> for Problem {
    fn from(error: ChangeFactorsError) -> Self {
        let conflict = |code, detail| Self::new(StatusCode::CONFLICT, code, detail);
        match error {
            ChangeFactorsError::Refused(refused) => refused.into(),
            ChangeFactorsError::ReauthenticationRequired => Self::reauthentication_required(),
            ChangeFactorsError::NotFound => Self::not_found("You have no such factor."),
            ChangeFactorsError::AlreadySetUp => conflict(
                "already_set_up",
                "An authenticator app is set up already; remove it first.",
            ),
            ChangeFactorsError::LastFactor => conflict(
                "last_factor",
                "The account needs this one: there is no other way in, or it must have a factor.",
            ),
            ChangeFactorsError::TooMany => conflict(
                "too_many_passkeys",
                "The account has as many passkeys as it may; remove one first.",
            ),
            ChangeFactorsError::NoFactor => conflict(
                "no_factor",
                "The account has no factor that recovery codes could stand in for; set one up first.",
            ),
            ChangeFactorsError::WrongCode => Self::wrong_factor_code(),
            ChangeFactorsError::CredentialRefused => credential_refused(),
            ChangeFactorsError::Gone => challenge_gone(),
        }
    }
}
