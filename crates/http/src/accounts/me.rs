//! `GET /me`, `DELETE /me` and `PUT /details`: the account.

pub(super) mod docs;

use super::{
    answer::UserAnswer,
    body::Body,
    caller::{Bearer, Caller},
    problem::Problem,
    use_case::UseCase,
};
use actix_web::{HttpResponse, web};
use revolve_domain::{
    model::{DetailsChange, EmailAddress, Label, Password, WebUrl},
    use_cases::{DeleteAccount, Me, UpdateDetails, UpdateDetailsRequest},
};

/// `GET /me`
pub(super) async fn me(use_case: web::Data<Me>, bearer: Bearer) -> Result<HttpResponse, Problem> {
    let user = use_case.execute(&bearer.0).await?;
    Ok(HttpResponse::Ok().json(UserAnswer::from(&user)))
}

/// `DELETE /me`
pub(super) async fn delete(
    use_case: UseCase<DeleteAccount>,
    bearer: Bearer,
) -> Result<HttpResponse, Problem> {
    use_case
        .run(async move |case| case.execute(&bearer.0).await)
        .await??;
    Ok(HttpResponse::NoContent().finish())
}

/// `PUT /details`
pub(super) async fn details(
    use_case: UseCase<UpdateDetails>,
    bearer: Bearer,
    caller: Caller,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = UpdateDetailsRequest {
        client: caller.client,
        ..parse(body)?
    };
    let user = use_case
        .run(async move |case| case.execute(&bearer.0, request).await)
        .await??;
    Ok(HttpResponse::Ok().json(UserAnswer::from(&user)))
}

pub(crate) fn parse(mut body: Body) -> Result<UpdateDetailsRequest, Problem> {
    let change = DetailsChange {
        name: body.nullable("name", Label::parse),
        website: body.nullable("website", WebUrl::parse),
        image_url: body.nullable("imageUrl", WebUrl::parse),
        email: body.optional("email", EmailAddress::parse),
    };
    let current_password = body.optional_secret("currentPassword", Password::present);
    body.finish(Some(UpdateDetailsRequest {
        change,
        current_password,
        ..UpdateDetailsRequest::default()
    }))
}
