//! `GET /userinfo` and `POST /userinfo`: the account by the names of standard claims (OpenID Connect Core 1.0 §5.3).

use crate::kit::{
    answer::sample,
    caller::Bearer,
    openapi::{Operation, example},
    problem::Problem,
    use_case::UseCase,
};
use actix_web::HttpResponse;
use revolve_domain::{
    model::{AppData, Label, Locale, Roles, User, UserId, WebUrl},
    use_cases::Me,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The account (OpenID Connect Core 1.0 §5.1). What it has not is left out.
#[derive(Serialize, ToSchema)]
#[schema(as = UserInfo)]
struct UserInfoAnswer<'a> {
    /// The account, as in the ID token.
    #[schema(value_type = String, format = "uuid")]
    sub: UserId,
    /// The address to sign in with.
    #[schema(format = "idn-email")]
    email: &'a str,
    /// Whether its owner has proved to read that mailbox.
    email_verified: bool,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<&'a str>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    picture: Option<&'a str>,
    /// A home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    website: Option<&'a str>,
    /// The language of the mails, as a tag (RFC 5646).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    locale: Option<&'a str>,
    /// What operators let the account do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    roles: Option<&'a Roles>,
    /// What the operators' applications keep with the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    app: Option<&'a AppData>,
}

impl<'a> From<&'a User> for UserInfoAnswer<'a> {
    fn from(user: &'a User) -> Self {
        let details = &user.details;
        Self {
            sub: user.id,
            email: user.email.as_str(),
            email_verified: user.email_verified_at.is_some(),
            name: details.name.as_ref().map(Label::as_str),
            picture: details.image_url.as_ref().map(WebUrl::as_str),
            website: details.website.as_ref().map(WebUrl::as_str),
            locale: details.locale.as_ref().map(Locale::as_str),
            roles: Some(&user.roles).filter(|roles| !roles.is_empty()),
            app: Some(&user.app).filter(|app| !app.is_empty()),
        }
    }
}

/// `GET /userinfo`, `POST /userinfo`
pub(crate) async fn userinfo(
    use_case: UseCase<Me>,
    bearer: Bearer,
) -> Result<HttpResponse, Problem> {
    let user = use_case.get().for_services(&bearer.0).await?;
    Ok(HttpResponse::Ok().json(UserInfoAnswer::from(&user)))
}

pub(crate) fn userinfo_docs() -> Operation {
    docs(
        "userInfo",
        "Look at the account, by OpenID Connect",
        "The account as it is now, by the names of standard claims. `GET /api/account/me` has the same by its own names.",
    )
}

pub(crate) fn post_userinfo_docs() -> Operation {
    docs(
        "postUserInfo",
        "The same by POST",
        "As `GET /userinfo`. The token is in the header here, too, and a body is not read.",
    )
}

fn docs(id: &'static str, summary: &'static str, description: &'static str) -> Operation {
    let info = |described: bool| {
        let given = |value| described.then_some(value);
        let (roles, app) = sample::granted(described);
        UserInfoAnswer {
            sub: sample::USER,
            email: "ann@example.org",
            email_verified: described,
            name: given("Ann"),
            picture: given("https://example.org/ann.png"),
            website: given("https://example.org/"),
            locale: given("de-CH"),
            roles: described.then_some(roles),
            app: described.then_some(app),
        }
    };
    Operation::new(id, "oauth", summary, description)
        .bearer()
        .json::<UserInfoAnswer<'_>, 2>(
            200,
            "The account.",
            [
                ("With details", example(&info(true))),
                ("Without", example(&info(false))),
            ],
        )
}
