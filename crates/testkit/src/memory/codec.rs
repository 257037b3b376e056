//! Tokens with readable claims and a checksum in place of a signature.

use super::tag::{decode, encode, tag};
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, Label, SessionId, Timestamp, TokenId, UserId, WebUrl},
    ports::{
        IdClaims, ReauthenticationClaims, RefreshClaims, RevocationSigner, SignError, TokenCodec,
        TokenRejected, VerifiedId,
    },
    revocations::{PackedStatement, RevocationStatement},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Signs `<kind>.<claims as JSON in base64url>.<checksum>`. For tests only: the key is in this file.
#[derive(Debug, Default)]
pub struct TestCodec;

#[derive(Serialize, Deserialize)]
struct IdPart {
    sub: UserId,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

#[derive(Serialize, Deserialize)]
struct RefreshPart {
    uid: UserId,
    sid: SessionId,
    #[serde(rename = "gen")]
    generation: u64,
    jti: TokenId,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    did: Option<DeviceId>,
}

#[derive(Serialize, Deserialize)]
struct ReauthenticationPart {
    sub: UserId,
    sid: SessionId,
    epoch: Epoch,
    iat: i64,
    exp: i64,
}

impl IdPart {
    fn until(&self, now: Timestamp) -> Result<VerifiedId, TokenRejected> {
        let expires_at = Timestamp::from_seconds(self.exp);
        if now >= expires_at {
            return Err(TokenRejected::Expired);
        }
        Ok(VerifiedId {
            user: self.sub,
            session: self.sid,
            issued_at: Timestamp::from_seconds(self.iat),
            expires_at,
        })
    }
}

impl TestCodec {
    /// The claims of any token, unverified.
    ///
    /// # Panics
    /// If this is not a token of a [`TestCodec`].
    pub fn read(token: &SecretString) -> Value {
        let claims = token
            .expose_secret()
            .split('.')
            .nth(1)
            .and_then(decode)
            .expect("a token has claims in base64url");
        serde_json::from_slice(&claims).expect("the claims are JSON")
    }

    fn sign(kind: &str, claims: &impl Serialize) -> Result<SecretString, SignError> {
        let claims = serde_json::to_vec(claims).map_err(|error| SignError(error.into()))?;
        let signed = format!("{kind}.{}", encode(&claims));
        let checksum = tag("token", &signed);
        Ok(SecretString::from(format!("{signed}.{checksum}")))
    }

    fn verify<T: DeserializeOwned>(kind: &str, token: &SecretString) -> Result<T, TokenRejected> {
        let (signed, checksum) = token
            .expose_secret()
            .rsplit_once('.')
            .ok_or(TokenRejected::Invalid)?;
        let claims = signed
            .strip_prefix(kind)
            .and_then(|rest| rest.strip_prefix('.'))
            .ok_or(TokenRejected::Invalid)?;
        if tag("token", signed) != checksum {
            return Err(TokenRejected::Invalid);
        }
        decode(claims)
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or(TokenRejected::Invalid)
    }
}

impl TokenCodec for TestCodec {
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError> {
        let details = &claims.details;
        let user = json!({
            "uid": claims.user,
            "email": claims.email.as_str(),
            "name": details.name.as_ref().map(Label::as_str),
            "website": details.website.as_ref().map(WebUrl::as_str),
            "imageUrl": details.image_url.as_ref().map(WebUrl::as_str),
        });
        let claims = json!({
            "sub": claims.user,
            "sid": claims.session,
            "epoch": claims.epoch,
            "auth_time": claims.authenticated_at.as_seconds(),
            "amr": claims.authenticated_by.names().collect::<Vec<_>>(),
            "iat": claims.issued_at.as_seconds(),
            "exp": claims.expires_at.as_seconds(),
            "email_verified": claims.email_verified,
            "roles": claims.roles,
            "app": claims.app,
            "version": claims.version,
            "user": user,
        });
        Self::sign("id", &claims)
    }

    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError> {
        let part = RefreshPart {
            uid: claims.user,
            sid: claims.session,
            generation: claims.generation.number(),
            jti: TokenId::of(claims.session, claims.generation),
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
            did: claims.device,
        };
        Self::sign("refresh", &part)
    }

    fn sign_reauthentication(
        &self,
        claims: &ReauthenticationClaims,
    ) -> Result<SecretString, SignError> {
        let part = ReauthenticationPart {
            sub: claims.user,
            sid: claims.session,
            epoch: claims.epoch,
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
        };
        Self::sign("reauthentication", &part)
    }

    fn sign_set_up(&self, claims: &VerifiedId) -> Result<SecretString, SignError> {
        let part = IdPart {
            sub: claims.user,
            sid: claims.session,
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
        };
        Self::sign("set_up", &part)
    }

    fn verify_set_up(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<VerifiedId, TokenRejected> {
        Self::verify::<IdPart>("set_up", token)?.until(now)
    }

    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected> {
        Self::verify::<IdPart>("id", token)?.until(now)
    }

    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected> {
        let part: RefreshPart = Self::verify("refresh", token)?;
        let generation = Generation::new(part.generation).ok_or(TokenRejected::Invalid)?;
        if part.jti != TokenId::of(part.sid, generation) {
            return Err(TokenRejected::Invalid);
        }
        Ok(RefreshClaims {
            user: part.uid,
            session: part.sid,
            generation,
            issued_at: Timestamp::from_seconds(part.iat),
            expires_at: Timestamp::from_seconds(part.exp),
            device: part.did,
        })
    }

    fn verify_reauthentication(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<ReauthenticationClaims, TokenRejected> {
        let part: ReauthenticationPart = Self::verify("reauthentication", token)?;
        let expires_at = Timestamp::from_seconds(part.exp);
        if now >= expires_at {
            return Err(TokenRejected::Expired);
        }
        Ok(ReauthenticationClaims {
            user: part.sub,
            session: part.sid,
            epoch: part.epoch,
            issued_at: Timestamp::from_seconds(part.iat),
            expires_at,
        })
    }
}

impl RevocationSigner for TestCodec {
    fn sign_revocations(&self, statement: &RevocationStatement) -> Result<SecretString, SignError> {
        let claims = json!({
            "iat": statement.as_of.as_seconds(),
            "exp": statement.expires_at().as_seconds(),
            "sessions": statement.sessions.iter().map(|(session, at)| (session, at.as_seconds())).collect::<Vec<_>>(),
            "users": statement.users.iter().map(|raised| (raised.user, raised.epoch, raised.kept)).collect::<Vec<_>>(),
            "outdated": statement.outdated,
        });
        Self::sign("revocations", &claims)
    }

    fn sign_packed(&self, statement: &PackedStatement) -> Result<String, SignError> {
        let sessions = statement.ends.iter().flat_map(|ends| &ends.sessions);
        let claims = json!({
            "iat": statement.as_of.as_seconds(),
            "exp": statement.expires_at().as_seconds(),
            "version": statement.version.to_string(),
            "since": statement.since.as_ref().map(ToString::to_string),
            "sessions": sessions.collect::<Vec<_>>(),
            "only": statement.only.users,
            "outdated": statement.outdated.iter().map(|tokens| (tokens.user, tokens.before)).collect::<Vec<_>>(),
        });
        Self::sign("packed", &claims).map(|signed| signed.expose_secret().to_owned())
    }
}
