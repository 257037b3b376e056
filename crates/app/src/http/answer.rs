//! The JSON that several operations answer with.

use revolve_domain::{
    model::{Session, SessionId, Timestamp, User, UserId},
    use_cases::TokenPair,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};

/// An instant in RFC 3339 form.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Instant(#[serde(with = "rfc3339")] OffsetDateTime);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at.to_datetime())
    }
}

/// A pair of tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokensAnswer<'a> {
    id_token: &'a str,
    id_token_expires_at: Instant,
    refresh_token: &'a str,
    refresh_token_expires_at: Instant,
}

impl<'a> From<&'a TokenPair> for TokensAnswer<'a> {
    fn from(pair: &'a TokenPair) -> Self {
        Self {
            id_token: pair.id_token.expose_secret(),
            id_token_expires_at: pair.id_expires_at.into(),
            refresh_token: pair.refresh_token.expose_secret(),
            refresh_token_expires_at: pair.refresh_expires_at.into(),
        }
    }
}

/// A session, in the answer to a sign-in or a refresh.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionAnswer<'a> {
    id: SessionId,
    created_at: Instant,
    ends_at: Instant,
    /// The sessions that this sign-in ended because there were too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    evicted: Option<&'a [SessionId]>,
}

impl<'a> SessionAnswer<'a> {
    pub(crate) fn new(session: &Session, evicted: Option<&'a [SessionId]>) -> Self {
        Self { id: session.id, created_at: session.began_at.into(), ends_at: session.ends_at.into(), evicted }
    }
}

/// An account.
#[derive(Serialize)]
pub(crate) struct UserAnswer<'a> {
    user: UserMembers<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserMembers<'a> {
    uid: UserId,
    email: &'a str,
    name: Option<&'a str>,
    image_url: Option<&'a str>,
    website: Option<&'a str>,
    created_at: Instant,
}

impl<'a> From<&'a User> for UserAnswer<'a> {
    fn from(user: &'a User) -> Self {
        let details = &user.details;
        Self {
            user: UserMembers {
                uid: user.id,
                email: user.email.as_str(),
                name: details.name.as_ref().map(revolve_domain::model::Label::as_str),
                image_url: details.image_url.as_ref().map(revolve_domain::model::WebUrl::as_str),
                website: details.website.as_ref().map(revolve_domain::model::WebUrl::as_str),
                created_at: user.created_at.into(),
            },
        }
    }
}
