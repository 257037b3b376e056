//! The claims as JSON. A token with members of other names is refused.

use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp, TokenId, UserId},
    ports::{IdClaims, ReauthenticationClaims, RefreshClaims},
    revocations::RevocationStatement,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The claims of an ID token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireId<'a> {
    pub(super) iss: Cow<'a, str>,
    pub(super) sub: UserId,
    pub(super) aud: Cow<'a, str>,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) sid: SessionId,
    pub(super) epoch: Epoch,
    pub(super) auth_time: i64,
    /// Tokens of earlier releases have none.
    #[serde(default)]
    pub(super) amr: Vec<Cow<'a, str>>,
    /// Tokens of earlier releases have none.
    #[serde(default)]
    pub(super) email_verified: bool,
    pub(super) user: WireUser<'a>,
}

/// Who the user is, for services that show it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct WireUser<'a> {
    pub(super) uid: UserId,
    pub(super) email: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) website: Option<Cow<'a, str>>,
}

impl<'a> WireId<'a> {
    pub(super) fn new(claims: &'a IdClaims, issuer: &'a str, audience: &'a str) -> Self {
        Self {
            iss: issuer.into(),
            sub: claims.user,
            aud: audience.into(),
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
            sid: claims.session,
            epoch: claims.epoch,
            auth_time: claims.authenticated_at.as_seconds(),
            amr: claims.authenticated_by.names().map(Cow::from).collect(),
            email_verified: claims.email_verified,
            user: WireUser {
                uid: claims.user,
                email: claims.email.as_str().into(),
                name: claims
                    .details
                    .name
                    .as_ref()
                    .map(|name| name.as_str().into()),
                image_url: claims
                    .details
                    .image_url
                    .as_ref()
                    .map(|url| url.as_str().into()),
                website: claims
                    .details
                    .website
                    .as_ref()
                    .map(|url| url.as_str().into()),
            },
        }
    }
}

/// The claims of a statement of what was revoked.
#[derive(Serialize)]
pub(super) struct WireRevocations<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    window: u64,
    /// Each as id and end, in whole seconds.
    sessions: Vec<(SessionId, i64)>,
    /// Each as id, epoch and kept session.
    users: Vec<(UserId, Epoch, Option<SessionId>)>,
}

impl<'a> WireRevocations<'a> {
    pub(super) fn new(statement: &RevocationStatement, issuer: &'a str) -> Self {
        Self {
            iss: issuer,
            iat: statement.as_of.as_seconds(),
            exp: statement.expires_at().as_seconds(),
            window: statement.window.as_secs(),
            sessions: statement
                .sessions
                .iter()
                .map(|(session, at)| (*session, at.as_seconds()))
                .collect(),
            users: statement
                .users
                .iter()
                .map(|raised| (raised.user, raised.epoch, raised.kept))
                .collect(),
        }
    }
}

/// The claims of a reauthentication.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireReauthentication<'a> {
    pub(super) iss: Cow<'a, str>,
    sub: UserId,
    sid: SessionId,
    epoch: Epoch,
    iat: i64,
    exp: i64,
}

impl<'a> WireReauthentication<'a> {
    pub(super) fn new(claims: &ReauthenticationClaims, issuer: &'a str) -> Self {
        Self {
            iss: issuer.into(),
            sub: claims.user,
            sid: claims.session,
            epoch: claims.epoch,
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
        }
    }

    pub(super) fn into_claims(self) -> ReauthenticationClaims {
        ReauthenticationClaims {
            user: self.sub,
            session: self.sid,
            epoch: self.epoch,
            issued_at: Timestamp::from_seconds(self.iat),
            expires_at: Timestamp::from_seconds(self.exp),
        }
    }
}

/// The claims of a refresh token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireRefresh<'a> {
    pub(super) iss: Cow<'a, str>,
    uid: UserId,
    sid: SessionId,
    r#gen: u64,
    jti: TokenId,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    did: Option<DeviceId>,
}

impl<'a> WireRefresh<'a> {
    pub(super) fn new(claims: &RefreshClaims, issuer: &'a str) -> Self {
        Self {
            iss: issuer.into(),
            uid: claims.user,
            sid: claims.session,
            r#gen: claims.generation.number(),
            jti: TokenId::of(claims.session, claims.generation),
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
            did: claims.device,
        }
    }

    /// The claims, if they agree with each other.
    pub(super) fn into_claims(self) -> Option<RefreshClaims> {
        let generation = Generation::new(self.r#gen)?;
        (self.jti == TokenId::of(self.sid, generation)).then(|| RefreshClaims {
            user: self.uid,
            session: self.sid,
            generation,
            issued_at: Timestamp::from_seconds(self.iat),
            expires_at: Timestamp::from_seconds(self.exp),
            device: self.did,
        })
    }
}
