//! `PUT /password`: this session goes on, all others end.

use super::{conflict, wrong_password};
use crate::kit::{
    body::Body,
    caller::BearerCaller,
    openapi::{Member, Operation, known_password, new_password},
    problem::{FieldProblem, Problem},
    use_case::UseCase,
};
use actix_web::{HttpResponse, web::Data};
use revolve_domain::{
    model::Password,
    policy::PasswordPolicy,
    use_cases::{ChangePassword, ChangePasswordError, ChangePasswordRequest},
};
use serde_json::json;

/// `PUT /password`
pub(crate) async fn change_password(
    use_case: UseCase<ChangePassword>,
    caller: BearerCaller,
    policy: Data<PasswordPolicy>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = parse(body, policy.min_length)?;
    use_case
        .run(async move |case| case.execute(&caller.0, request).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) fn parse(mut body: Body, min_length: usize) -> Result<ChangePasswordRequest, Problem> {
    let current = body.optional_secret("currentPassword", Password::present);
    let new = body.secret("newPassword", |text| Password::choose(text, min_length));
    body.finish(new.map(|new| ChangePasswordRequest { current, new }))
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Refused(refused) => refused.into(),
            ChangePasswordError::WrongPassword => wrong_password(),
            ChangePasswordError::ReauthenticationRequired => Self::reauthentication_required(),
            ChangePasswordError::WeakPassword(fault) => {
                Problem::fields(vec![FieldProblem::invalid("newPassword", fault)])
            }
            ChangePasswordError::Conflict => conflict(),
        }
    }
}

pub(crate) fn change_password_docs() -> Operation {
    let description = "Changes the password. This session goes on with its tokens; all others end. It needs `currentPassword` or a \
                       reauthentication.\n\n`conflict` says that the account was \
                       changed at the same time, for example by the same request from another device: nothing was done.";
    let current = known_password("The password as it is; checked whenever it is sent. `too_long`");
    Operation::new("changePassword", "account", "Change the password", description)
        .bearer_on_device()
        .reauthentication()
        .body(
            "PasswordChange",
            "The passwords.",
            [Member::optional("currentPassword", current), Member::required("newPassword", new_password())],
            [
                ("Both passwords", json!({ "currentPassword": "correct horse battery", "newPassword": "staple of a better horse" })),
                ("After a reauthentication", json!({ "newPassword": "staple of a better horse" })),
            ],
        )
        .empty(204, "The password is changed.")
        .problems([ChangePasswordError::WrongPassword, ChangePasswordError::Conflict].map(Problem::from))
}
