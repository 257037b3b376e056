//! `POST /oauth/introspect`: whether a token counts (RFC 7662).

use super::{
    BEARER,
    form::{Parameters, token_members},
};
use crate::{
    keys::Discovery,
    kit::{
        answer::sample,
        openapi::{Operation, example, fixed},
        problem::Problem,
        use_case::AdminCase,
    },
};
use actix_web::{HttpResponse, web};
use revolve_domain::{
    model::{AppData, Roles, SessionId, Timestamp, UserId},
    use_cases::{ActiveToken, IntrospectToken},
};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use utoipa::{ToSchema, openapi::schema::ObjectBuilder};

/// What is no token to call a service with (RFC 8693 §2.2.1).
const NO_ACCESS_TOKEN: &str = "N_A";

/// Whether a token counts, and what it is (RFC 7662 §2.2).
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Introspection)]
struct IntrospectionAnswer<'a> {
    /// Whether it counts now. If not, nothing else is said.
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = token_types)]
    token_type: Option<&'static str>,
    /// Who has issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iss: Option<&'a str>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid", nullable = false)]
    sub: Option<UserId>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid", nullable = false)]
    sid: Option<SessionId>,
    /// When it was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iat: Option<i64>,
    /// When it expires, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    exp: Option<i64>,
    /// The account's roles as of now, if it has any; for ID tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    roles: Option<&'a Roles>,
    /// The account's app data as of now, if it has any; for ID tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    app: Option<&'a AppData>,
}

fn token_types() -> ObjectBuilder {
    fixed(
        "`Bearer` for an ID token. `N_A` for a refresh token, which no service may take for one.",
        [BEARER, NO_ACCESS_TOKEN],
    )
}

impl<'a> IntrospectionAnswer<'a> {
    fn new(
        token_type: &'static str,
        issuer: &'a str,
        (user, session): (UserId, SessionId),
        (issued_at, expires_at): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            active: true,
            token_type: Some(token_type),
            iss: Some(issuer),
            sub: Some(user),
            sid: Some(session),
            iat: Some(issued_at.as_seconds()),
            exp: Some(expires_at.as_seconds()),
            roles: None,
            app: None,
        }
    }

    fn granted(self, roles: &'a Roles, app: &'a AppData) -> Self {
        Self {
            roles: Some(roles).filter(|roles| !roles.is_empty()),
            app: Some(app).filter(|app| !app.is_empty()),
            ..self
        }
    }

    fn of(token: &'a ActiveToken, issuer: &'a str) -> Self {
        match token {
            ActiveToken::Id { claims, user } => Self::new(
                BEARER,
                issuer,
                (claims.user, claims.session),
                (claims.issued_at, claims.expires_at),
            )
            .granted(&user.roles, &user.app),
            ActiveToken::Refresh(claims) => Self::new(
                NO_ACCESS_TOKEN,
                issuer,
                (claims.user, claims.session),
                (claims.issued_at, claims.expires_at),
            ),
        }
    }
}

/// `POST /oauth/introspect`
pub(crate) async fn introspect(
    use_case: AdminCase<IntrospectToken>,
    discovery: web::Data<Discovery>,
    parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let token = parameters.token()?;
    let found = use_case.get().execute(&token).await?;
    let answer = found
        .as_ref()
        .map(|token| IntrospectionAnswer::of(token, &discovery.issuer));
    Ok(HttpResponse::Ok().json(answer.unwrap_or_default()))
}

pub(crate) fn introspect_docs() -> Operation {
    let description = "Whether a token counts now, for services that can't verify ID tokens by themselves. It changes nothing. An ID token counts while its \
                       session lives. A refresh token counts while it is the newest of a session that lives. Anything else is `active: false`, without a \
                       reason. Take a token only if `token_type` is `Bearer`: a refresh token is for this service alone.\n\nThe key is sent as \
                       `Authorization: Bearer rvk…`, or as the password of HTTP Basic authentication.";
    let issued_at = Timestamp::from_seconds(1_767_323_045);
    let token = |token_type, minutes| {
        IntrospectionAnswer::new(
            token_type,
            "https://accounts.example.org",
            (sample::USER, sample::SESSION),
            (issued_at, issued_at.plus(Duration::from_mins(minutes))),
        )
    };
    let (roles, app) = sample::granted(true);
    let id_token = token(BEARER, 15).granted(roles, app);
    let refresh_token = token(NO_ACCESS_TOKEN, 3 * 24 * 60);
    Operation::new("oauthIntrospect", "oauth", "Ask about a token", description)
        .form(
            "IntrospectionRequest",
            "The token to ask about.",
            token_members("An ID token or a refresh token.", sample::TOKEN),
            [("A token", json!({ "token": sample::TOKEN }))],
        )
        .json::<IntrospectionAnswer<'_>, 3>(
            200,
            "Whether it counts.",
            [
                ("An ID token", example(&id_token)),
                ("A refresh token", example(&refresh_token)),
                ("Anything else", example(&IntrospectionAnswer::default())),
            ],
        )
}
