//! The JSON that several operations answer with.

pub(crate) mod sample;

use revolve_domain::{
    model::{AppData, Roles, Session, SessionId, Timestamp, User, UserId},
    use_cases::TokenPair,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};
use utoipa::ToSchema;

/// An instant in RFC 3339 form.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05Z")]
pub(crate) struct Instant(#[serde(with = "rfc3339")] OffsetDateTime);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at.to_datetime())
    }
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tokens)]
pub(crate) struct TokensAnswer<'a> {
    #[schema(schema_with = sample::id_token)]
    id_token: &'a str,
    /// When to have refreshed.
    id_token_expires_at: Instant,
    /// There, and true, if the session can do nothing but set up a factor, which `accounts.require_factor` asks for: everything else is 403
    /// `factor_setup_required`, and no other service takes the ID token. Refresh after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    must_set_up_factor: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = sample::refresh_token)]
    refresh_token: Option<&'a str>,
    /// When it is worth nothing any more unless it is used.
    refresh_token_expires_at: Instant,
}

impl<'a> From<&'a TokenPair> for TokensAnswer<'a> {
    fn from(pair: &'a TokenPair) -> Self {
        Self {
            id_token: pair.id_token.expose_secret(),
            id_token_expires_at: pair.id_expires_at.into(),
            must_set_up_factor: pair.must_set_up_factor.then_some(true),
            refresh_token: Some(pair.refresh_token.expose_secret()),
            refresh_token_expires_at: pair.refresh_expires_at.into(),
        }
    }
}

impl TokensAnswer<'_> {
    /// For a client that keeps it elsewhere.
    pub(crate) fn without_refresh_token(self) -> Self {
        Self {
            refresh_token: None,
            ..self
        }
    }
}

/// A session, in the answer to a sign-in or a refresh.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(crate) struct SessionAnswer<'a> {
    /// The session, as in the claim `sid`.
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    /// When the password was shown.
    created_at: Instant,
    /// When it ends in any case.
    ends_at: Instant,
    /// The sessions that this sign-in ended because there were too many; not in the answer to a refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    evicted: Option<&'a [SessionId]>,
}

impl<'a> SessionAnswer<'a> {
    pub(crate) fn new(session: &Session, evicted: Option<&'a [SessionId]>) -> Self {
        Self {
            id: session.id,
            created_at: session.began_at.into(),
            ends_at: session.ends_at.into(),
            evicted,
        }
    }
}

/// The answer with the account.
#[derive(Serialize, ToSchema)]
#[schema(as = UserAnswer)]
pub(crate) struct UserAnswer<'a> {
    user: UserMembers<'a>,
}

/// An account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
struct UserMembers<'a> {
    /// The account, as in the claim `sub`.
    #[schema(value_type = String, format = "uuid")]
    uid: UserId,
    /// The address to sign in with.
    #[schema(format = "idn-email")]
    email: &'a str,
    /// Whether its owner has proved to read that mailbox.
    email_verified: bool,
    /// The name to show.
    #[schema(required = true)]
    name: Option<&'a str>,
    /// A picture.
    #[schema(required = true, format = "uri")]
    image_url: Option<&'a str>,
    /// A home page.
    #[schema(required = true, format = "uri")]
    website: Option<&'a str>,
    /// The language of the mails, as a tag (RFC 5646).
    #[schema(required = true)]
    locale: Option<&'a str>,
    /// What operators let the account do, as in the claim `roles`.
    #[schema(value_type = Vec<String>)]
    roles: &'a Roles,
    /// What the operators' applications keep with the account, as in the claim `app`.
    #[schema(value_type = Object)]
    app: &'a AppData,
    /// When the account was made.
    created_at: Instant,
}

impl<'a> From<&'a User> for UserAnswer<'a> {
    fn from(user: &'a User) -> Self {
        let details = &user.details;
        Self {
            user: UserMembers {
                uid: user.id,
                email: user.email.as_str(),
                email_verified: user.email_verified_at.is_some(),
                name: details
                    .name
                    .as_ref()
                    .map(revolve_domain::model::Label::as_str),
                image_url: details
                    .image_url
                    .as_ref()
                    .map(revolve_domain::model::WebUrl::as_str),
                website: details
                    .website
                    .as_ref()
                    .map(revolve_domain::model::WebUrl::as_str),
                locale: details
                    .locale
                    .as_ref()
                    .map(revolve_domain::model::Locale::as_str),
                roles: &user.roles,
                app: &user.app,
                created_at: user.created_at.into(),
            },
        }
    }
}
