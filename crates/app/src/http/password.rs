//! `PUT /password`: this session goes on, all others end.

use super::{body::Body, caller::Bearer, problem::Problem, use_case::UseCase};
use actix_web::HttpResponse;
use revolve_domain::{
    model::Password,
    use_cases::{ChangePassword, ChangePasswordRequest},
};

/// `PUT /password`
pub(super) async fn change(use_case: UseCase<ChangePassword>, bearer: Bearer, body: Body) -> Result<HttpResponse, Problem> {
    let (current, new) = parse(body)?;
    use_case.run(async move |case| case.execute(&bearer.0, ChangePasswordRequest { current, new }).await).await??;
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) fn parse(mut body: Body) -> Result<(Password, Password), Problem> {
    let current = body.secret("currentPassword", Password::present);
    let new = body.secret("newPassword", Password::choose);
    body.finish(current.zip(new))
}
