//! Verification of tokens. A key that is unknown here may be one that another replica has just made: the keys are read once
//! more before the token is refused.

use super::{Refusal, Refused};
use crate::{
    model::{SessionId, Timestamp, UserId},
    ports::{
        ReauthenticationClaims, RefreshClaims, StoreError, TokenCodec, TokenRejected, VerifiedId,
    },
};
use secrecy::SecretString;

pub(crate) async fn verify_id(
    codec: &dyn TokenCodec,
    token: &SecretString,
    now: Timestamp,
) -> Result<VerifiedId, Refused> {
    let verified = with_all_keys(codec, || codec.verify_id(token, now)).await?;
    Ok(verified.map_err(Refusal::from)?)
}

/// What stands in the place of an ID token in a session that can do nothing but set up a factor.
pub(crate) async fn verify_set_up(
    codec: &dyn TokenCodec,
    token: &SecretString,
    now: Timestamp,
) -> Result<VerifiedId, Refused> {
    let verified = with_all_keys(codec, || codec.verify_set_up(token, now)).await?;
    Ok(verified.map_err(Refusal::from)?)
}

pub(crate) async fn verify_refresh(
    codec: &dyn TokenCodec,
    token: &SecretString,
) -> Result<RefreshClaims, Refused> {
    let verified = with_all_keys(codec, || codec.verify_refresh(token)).await?;
    Ok(verified.map_err(Refusal::from)?)
}

/// A token that a session hands out.
pub(crate) enum SessionToken {
    Id(VerifiedId),
    Refresh(RefreshClaims),
}

impl SessionToken {
    /// Its account and its session.
    pub(crate) const fn owner(&self) -> (UserId, SessionId) {
        match self {
            Self::Id(claims) => (claims.user, claims.session),
            Self::Refresh(claims) => (claims.user, claims.session),
        }
    }
}

/// A token of either kind, by its signature; `None` for anything else, and for an ID token that has expired.
pub(crate) async fn verify_either(
    codec: &dyn TokenCodec,
    token: &SecretString,
    now: Timestamp,
) -> Result<Option<SessionToken>, StoreError> {
    if let Ok(claims) = with_all_keys(codec, || codec.verify_refresh(token)).await? {
        return Ok(Some(SessionToken::Refresh(claims)));
    }
    let id = with_all_keys(codec, || codec.verify_id(token, now)).await?;
    Ok(id.ok().map(SessionToken::Id))
}

pub(crate) async fn verify_reauthentication(
    codec: &dyn TokenCodec,
    token: &SecretString,
    now: Timestamp,
) -> Result<Result<ReauthenticationClaims, TokenRejected>, StoreError> {
    with_all_keys(codec, || codec.verify_reauthentication(token, now)).await
}

async fn with_all_keys<T>(
    codec: &dyn TokenCodec,
    verify: impl Fn() -> Result<T, TokenRejected>,
) -> Result<Result<T, TokenRejected>, StoreError> {
    match verify() {
        Err(TokenRejected::UnknownKey) => {
            codec.look_for_keys().await?;
            Ok(verify())
        }
        verified => Ok(verified),
    }
}
