//! `PUT /password`: this session goes on, all others end.

use super::{body::Body, caller::Bearer, problem::Problem, use_case::UseCase};
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
    policy: Data<PasswordPolicy>,
    mut body: Body,
) -> Result<HttpResponse, Problem> {
    let current = body.secret("currentPassword", Password::present);
    let new = body.secret("newPassword", |text| Password::choose(text, policy.min_length));
    let (current, new) = body.finish(current.zip(new))?;
    use_case.run(async move |case| case.execute(&bearer.0, ChangePasswordRequest { current, new }).await).await??;
    Ok(HttpResponse::NoContent().finish())
}
