//! Signing up and in, and the account itself.

mod activity;
pub(crate) mod begin;
pub(crate) mod begun;
mod code;
mod confirm;
mod export;
mod me;
mod password;
mod reauthenticate;

pub(crate) use activity::{activity, activity_docs};
pub(crate) use begin::{sign_in, sign_in_docs, sign_up, sign_up_docs};
pub(crate) use code::{
    request_code, request_code_docs, sign_in_by_code, sign_in_by_code_docs, sign_in_code_off,
};
pub(crate) use confirm::{confirm, confirm_docs, confirmation};
pub(crate) use export::{export, export_docs, exported};
pub(crate) use me::{delete, delete_docs, details, details_docs, me, me_docs};
pub(crate) use password::{change_password, change_password_docs, parse as passwords_of};
pub(crate) use reauthenticate::{
    begin_passkey, begin_passkey_docs, parse as current_password_of, reauthenticate,
    reauthenticate_docs, shown as shown_again,
};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use {begin::fields, me::parse as details_of};

use crate::kit::problem::Problem;
use actix_web::http::StatusCode;

pub(crate) fn email_taken() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "email_taken",
        "An account with this e-mail address exists already.",
    )
}

pub(crate) fn conflict() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "conflict",
        "The account was changed at the same time; look again and retry.",
    )
}

pub(crate) fn wrong_password() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "wrong_password",
        "The password is wrong.",
    )
}
