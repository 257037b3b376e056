//! How `GET /me`, `DELETE /me` and `PUT /details` are documented.

use crate::http::{
    answer::{UserAnswer, docs as sample},
    openapi::{Member, Operation, email, example, known_password, label, web_url},
    problem::Problem,
};
use revolve_domain::use_cases::{DeleteAccountError, UpdateDetailsError};
use serde_json::json;

pub(in crate::http) fn me() -> Operation {
    let description =
        "The account as it is now. The ID token's `user` claim is as old as the token.";
    Operation::new("me", "account", "Look at the account", description)
        .bearer()
        .json::<UserAnswer<'_>, 2>(
            200,
            "The account.",
            [
                ("With details", example(&sample::user(true))),
                ("Without", example(&sample::user(false))),
            ],
        )
}

pub(in crate::http) fn delete() -> Operation {
    let description = "Deletes the account and ends all of its sessions. The sign-in of this session must be at most five minutes ago \
                       (`auth_time` in the ID token), so ask for the password and sign in before.";
    Operation::new(
        "deleteAccount",
        "account",
        "Delete the account",
        description,
    )
    .bearer()
    .empty(204, "The account is gone.")
    .problems([Problem::from(DeleteAccountError::ReauthenticationRequired)])
}

pub(in crate::http) fn details() -> Operation {
    let description = "Changes the details that are named. A member that is missing leaves the detail as it is, `null` clears it. A new \
                       address to sign in with needs the password.";
    let members = [
        Member::nullable("name", label("The name to show.", "Ann")),
        Member::nullable("website", web_url("A home page.", "https://example.org/")),
        Member::nullable(
            "imageUrl",
            web_url("A picture.", "https://example.org/ann.png"),
        ),
        Member::nullable("email", email()),
        Member::optional(
            "currentPassword",
            known_password("Needed with `email`. `too_long`"),
        ),
    ];
    Operation::new("updateDetails", "account", "Change details", description)
        .bearer()
        .limited()
        .body(
            "Details",
            "What to change.",
            members,
            [
                ("A name and a home page", json!({ "name": "Ann", "website": "https://example.org/" })),
                ("No picture any more", json!({ "imageUrl": null })),
                ("Another address", json!({ "email": "ann@example.net", "currentPassword": "correct horse battery" })),
            ],
        )
        .json::<UserAnswer<'_>, 1>(200, "The account as it is now.", [("With details", example(&sample::user(true)))])
        .problems([UpdateDetailsError::EmailTaken, UpdateDetailsError::WrongPassword].map(Problem::from))
}
