//! The claims as JSON. A token with members of other names is refused.

use revolve_domain::{
    model::{
        AccountVersion, AppData, DeviceId, Epoch, Generation, Label, Roles, SessionId, Timestamp,
        TokenId, UserId, WebUrl,
    },
    ports::{IdClaims, ReauthenticationClaims, RefreshClaims, VerifiedId},
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
    /// Tokens of earlier releases have neither this nor the next ones.
    #[serde(default)]
    pub(super) amr: Vec<Cow<'a, str>>,
    #[serde(default)]
    pub(super) email: Cow<'a, str>,
    #[serde(default)]
    pub(super) email_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Roles::is_empty")]
    pub(super) roles: Roles,
    #[serde(default, skip_serializing_if = "AppData::is_empty")]
    pub(super) app: AppData,
    #[serde(default)]
    pub(super) version: AccountVersion,
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
        let details = &claims.details;
        let name = details.name.as_ref().map(Label::as_str).map(Cow::from);
        let url = |url: &'a Option<WebUrl>| url.as_ref().map(WebUrl::as_str).map(Cow::from);
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
            email: claims.email.as_str().into(),
            email_verified: claims.email_verified,
            name: name.clone(),
            picture: url(&details.image_url),
            roles: claims.roles.clone(),
            app: claims.app.clone(),
            version: claims.version,
            user: WireUser {
                uid: claims.user,
                email: claims.email.as_str().into(),
                name,
                image_url: url(&details.image_url),
                website: url(&details.website),
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
    /// Each as id and version. Readers of an earlier release ignore it.
    outdated: &'a [(UserId, AccountVersion)],
}

impl<'a> WireRevocations<'a> {
    pub(super) fn new(statement: &'a RevocationStatement, issuer: &'a str) -> Self {
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
            outdated: &statement.outdated,
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

/// The claims of what stands in the place of an ID token while a factor must be set up.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSetUp<'a> {
    pub(super) iss: Cow<'a, str>,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

impl<'a> WireSetUp<'a> {
    pub(super) fn new(claims: &VerifiedId, issuer: &'a str) -> Self {
        Self {
            iss: issuer.into(),
            sub: claims.user,
            sid: claims.session,
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
        }
    }

    pub(super) fn into_claims(self) -> VerifiedId {
        VerifiedId {
            user: self.sub,
            session: self.sid,
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
