//! `PUT /password`: this session goes on, all others end.

use super::{body::Body, caller::Bearer, problem::Problem, use_case::UseCase};
use actix_web::HttpResponse;
use revolve_domain::{
    model::Password,
    use_cases::{ChangePassword, ChangePasswordRequest},
};

/// `PUT /password`
pub(super) async fn change(use_case: UseCase<ChangePassword>, bearer: Bearer, mut body: Body) -> Result<HttpResponse, Problem> {
    let current = body.secret("currentPassword", Password::present);
    let new = body.secret("newPassword", Password::choose);
    let (current, new) = body.finish(current.zip(new))?;
    use_case.run(async move |case| case.execute(&bearer.0, ChangePasswordRequest { current, new }).await).await??;
    Ok(HttpResponse::NoContent().finish())
}
