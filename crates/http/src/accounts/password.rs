//! `PUT /password`: this session goes on, all others end.

pub(super) mod docs;

use super::{
    body::Body,
    caller::{Bearer, Caller},
    problem::Problem,
    use_case::UseCase,
};
use actix_web::{HttpResponse, web::Data};
use revolve_domain::{
    model::Password,
    policy::PasswordPolicy,
    use_cases::{ChangePassword, ChangePasswordRequest},
};

/// `PUT /password`
pub(super) async fn change(
    use_case: UseCase<ChangePassword>,
    bearer: Bearer,
    caller: Caller,
    policy: Data<PasswordPolicy>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (current, new) = parse(body, policy.min_length)?;
    let request = ChangePasswordRequest {
        current,
        new,
        client: caller.client,
    };
    use_case
        .run(async move |case| case.execute(&bearer.0, request).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) fn parse(mut body: Body, min_length: usize) -> Result<(Password, Password), Problem> {
    let current = body.secret("currentPassword", Password::present);
    let new = body.secret("newPassword", |text| Password::choose(text, min_length));
    body.finish(current.zip(new))
}
