//! How `PUT /password` is documented.

use crate::http::{
    openapi::{Member, Operation, known_password, new_password},
    problem::Problem,
};
use revolve_domain::use_cases::ChangePasswordError;
use serde_json::json;

pub(in crate::http) fn change() -> Operation {
    let description = "Changes the password. This session goes on with its tokens; all others end.\n\n`conflict` says that the account was \
                       changed at the same time, for example by the same request from another device: nothing was done.";
    let current = known_password("The password as it is. `too_long`");
    Operation::new("changePassword", "account", "Change the password", description)
        .bearer()
        .limited()
        .body(
            "PasswordChange",
            "Both passwords.",
            [Member::required("currentPassword", current), Member::required("newPassword", new_password())],
            [("Both passwords", json!({ "currentPassword": "correct horse battery", "newPassword": "staple of a better horse" }))],
        )
        .empty(204, "The password is changed.")
        .problems([ChangePasswordError::WrongPassword, ChangePasswordError::Conflict].map(Problem::from))
}
