//! How `POST /signout` is documented.

use super::SCOPES;
use crate::http::openapi::{Member, Operation, choice};
use serde_json::json;

pub(in crate::http) fn sign_out() -> Operation {
    let description = "Ends this session, all others, or all. It is final: after the answer no token of an ended session is accepted here, \
                       and services that follow `/.well-known/revocations` hear of it within about a second.";
    let scope = choice(
        "Which sessions: this one, all but this one, or all of the account.",
        SCOPES.map(|(word, _)| word),
        "this",
    );
    Operation::new("signOut", "sessions", "Sign out", description)
        .bearer()
        .optional_body(
            "SignOut",
            "Which sessions to end; nothing counts as `{}`.",
            [Member::optional("scope", scope)],
            [
                ("This session", json!({})),
                ("All others", json!({ "scope": "others" })),
                ("All", json!({ "scope": "everywhere" })),
            ],
        )
        .empty(204, "They have ended.")
}
