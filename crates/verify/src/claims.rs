//! The claims of an ID token: as JSON, what they must be, and what a service gets of them.

use crate::{error::VerifyError, json};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt};
use uuid::Uuid;

/// The user of a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The user's id; it never changes and is never given to another user.
    pub uid: Uuid,
    /// The address that the user signs in with. It can change.
    pub email: String,
    /// The name that the user has chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A picture. The user has chosen the URL: treat it as untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// A website. The user has chosen the URL: treat it as untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
}

/// The claims of a verified token. Times are seconds since 1970-01-01 UTC (RFC 7519 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The user.
    pub user: User,
    /// `sid`: the session, one sign-in on one device.
    pub session: Uuid,
    /// `epoch`: the user's epoch when the session began; it rises when all or all other sessions end.
    pub epoch: u64,
    /// `iat`: when the token was issued.
    pub issued_at: u64,
    /// `exp`: when the token stops being valid.
    pub expires_at: u64,
    /// `auth_time`: when the user was last authenticated.
    pub authenticated_at: u64,
    /// `amr`: how, by the names of RFC 8176, in alphabetical order. Only `mfa` says that there was more than one factor: `otp` without it is a code by
    /// mail, which proves the mailbox and no device of its own. Later releases of the service may have other names. Empty in tokens of releases before
    /// this claim.
    pub authenticated_by: Vec<String>,
    /// `email_verified`: whether the user has proved to read that mailbox; `false` in tokens of earlier releases of the service.
    pub email_verified: bool,
    /// `roles`: those that operators have given the account, in order.
    pub roles: Vec<String>,
    /// `app`: what the operators' applications keep with the account.
    pub app: Map<String, Value>,
    /// `version`: rises with each change of the account. What the token says is as of then.
    pub version: u64,
}

impl Claims {
    /// Whether operators have given the account this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }
}

/// The required values of claims.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedClaims {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) leeway: u64,
}

/// The claims as JSON. Times are whole numbers from 0; fractions, texts and negative numbers are refused.
#[derive(Deserialize)]
struct Wire<'t> {
    #[serde(borrow)]
    iss: Cow<'t, str>,
    #[serde(borrow)]
    aud: Audience<'t>,
    sub: Uuid,
    sid: Uuid,
    epoch: u64,
    iat: u64,
    exp: u64,
    /// It may be absent, but not `null`.
    #[serde(default, deserialize_with = "present")]
    nbf: Option<u64>,
    auth_time: u64,
    #[serde(default)]
    amr: Vec<String>,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default, deserialize_with = "object")]
    app: Map<String, Value>,
    /// A token of an earlier release has none, and is older than any that has one.
    #[serde(default)]
    version: u64,
    user: User,
}

/// RFC 7519 §4.1.3: one audience or several.
enum Audience<'t> {
    One(Cow<'t, str>),
    Several(Vec<String>),
}

impl Audience<'_> {
    fn has(&self, expected: &str) -> bool {
        match self {
            Self::One(audience) => audience == expected,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == expected),
        }
    }
}

/// Not derived, since an untagged enum would buffer.
impl<'d: 't, 't> Deserialize<'d> for Audience<'t> {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'t> Visitor<'t> for Either {
            type Value = Audience<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an array of texts")
            }

            fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Self::Value, E> {
                Ok(Audience::One(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Audience::One(text.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'t>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut several = Vec::new();
                while let Some(audience) = array.next_element()? {
                    several.push(audience);
                }
                Ok(Audience::Several(several))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A map would take `null` as well.
fn object<'t, D: Deserializer<'t>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(object) => Ok(object),
        _ => Err(D::Error::custom("it is no object")),
    }
}

fn present<'t, D: Deserializer<'t>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    u64::deserialize(deserializer).map(Some)
}

impl Claims {
    /// Reads a payload whose signature is verified.
    pub(crate) fn parse(
        payload: &[u8],
        expected: &ExpectedClaims,
        now: u64,
    ) -> Result<Self, VerifyError> {
        let wire: Wire<'_> = json::parse(payload).map_err(VerifyError::Claims)?;
        if wire.iss != expected.issuer {
            return Err(VerifyError::Issuer);
        }
        if !wire.aud.has(&expected.audience) {
            return Err(VerifyError::Audience);
        }
        if wire.user.uid != wire.sub {
            return Err(VerifyError::Contradiction);
        }
        if now >= wire.exp.saturating_add(expected.leeway) {
            return Err(VerifyError::Expired);
        }
        let latest = now.saturating_add(expected.leeway);
        if wire.iat > latest || wire.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(VerifyError::NotYetValid);
        }
        Ok(Self {
            user: wire.user,
            session: wire.sid,
            epoch: wire.epoch,
            issued_at: wire.iat,
            expires_at: wire.exp,
            authenticated_at: wire.auth_time,
            authenticated_by: wire.amr,
            email_verified: wire.email_verified,
            roles: wire.roles,
            app: wire.app,
            version: wire.version,
        })
    }
}
