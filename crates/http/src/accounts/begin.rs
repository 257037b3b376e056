//! `POST /signup` and `POST /signin`: the same request, the same answer.

pub(super) mod docs;

use super::{
    answer::{SessionAnswer, TokensAnswer},
    body::Body,
    caller::Caller,
    problem::Problem,
    use_case::UseCase,
    watch,
};
use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode, web::Data};
use revolve_domain::{
    model::{DeviceId, EmailAddress, FieldError, Label, Password},
    policy::PasswordPolicy,
    use_cases::{Begun, SignIn, SignInRequest, SignUp},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

/// A session has begun.
#[derive(Serialize, ToSchema)]
#[schema(as = Begun)]
struct Answer<'a> {
    tokens: TokensAnswer<'a>,
    session: SessionAnswer<'a>,
    device: DeviceAnswer<'a>,
}

/// The device that the session is on.
#[derive(Serialize, ToSchema)]
#[schema(as = NewDevice)]
struct DeviceAnswer<'a> {
    /// The device, the same at each sign-in that shows its credential.
    #[schema(value_type = String, format = "uuid")]
    id: DeviceId,
    /// What to send as `Revolve-Device` from now on. Not for browsers: they get a cookie that scripts can't read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential: Option<&'a str>,
}

/// `POST /signup`
pub(super) async fn sign_up(
    use_case: UseCase<SignUp>,
    caller: Caller,
    policy: Data<PasswordPolicy>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = parse(body, &caller, |text| {
        Password::choose(text, policy.min_length)
    })?;
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    Ok(answer(StatusCode::CREATED, &begun, &caller))
}

/// `POST /signin`
pub(super) async fn sign_in(
    use_case: UseCase<SignIn>,
    caller: Caller,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request = parse(body, &caller, Password::present)?;
    let begun = use_case
        .run(async move |case| case.execute(request).await)
        .await??;
    Ok(answer(StatusCode::OK, &begun, &caller))
}

fn parse(
    body: Body,
    caller: &Caller,
    password: impl FnOnce(&SecretString) -> Result<Password, FieldError>,
) -> Result<SignInRequest, Problem> {
    let (email, password, device_name) = fields(body, password)?;
    let (device_credential, client) = (caller.device_credential.clone(), caller.described());
    Ok(SignInRequest {
        email,
        password,
        device_name,
        device_credential,
        client,
    })
}

pub(crate) fn fields(
    mut body: Body,
    password: impl FnOnce(&SecretString) -> Result<Password, FieldError>,
) -> Result<(EmailAddress, Password, Option<Label>), Problem> {
    let email = body.required("email", EmailAddress::parse);
    let password = body.secret("password", password);
    let device_name = body.optional("deviceName", Label::parse);
    let (email, password) = body.finish(email.zip(password))?;
    Ok((email, password, device_name))
}

fn answer(status: StatusCode, begun: &Begun, caller: &Caller) -> HttpResponse {
    // No token was shown that would have said so to the log.
    watch::names(begun.session.user, begun.session.id);
    let credential = &begun.device.credential;
    HttpResponseBuilder::new(status)
        .cookie(caller.device_cookie(credential))
        .json(Answer {
            tokens: (&begun.tokens).into(),
            session: SessionAnswer::new(&begun.session, Some(&begun.evicted)),
            device: DeviceAnswer {
                id: begun.device.id,
                credential: (!caller.is_browser).then(|| credential.expose_secret()),
            },
        })
}
