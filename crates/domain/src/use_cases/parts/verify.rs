//! Verification of tokens. A key that is unknown here may be one that another replica has just made: the keys are read once
//! more before the token is refused.

use super::{Refusal, Refused};
use crate::{
    model::Timestamp,
    ports::{RefreshClaims, TokenCodec, TokenRejected, VerifiedId},
};
use secrecy::SecretString;

pub(crate) async fn verify_id(
    codec: &dyn TokenCodec,
    token: &SecretString,
    now: Timestamp,
) -> Result<VerifiedId, Refused> {
    let mut verified = codec.verify_id(token, now);
    if verified == Err(TokenRejected::UnknownKey) {
        codec.look_for_keys().await?;
        verified = codec.verify_id(token, now);
    }
    Ok(verified.map_err(Refusal::from)?)
}

pub(crate) async fn verify_refresh(
    codec: &dyn TokenCodec,
    token: &SecretString,
) -> Result<RefreshClaims, Refused> {
    let mut verified = codec.verify_refresh(token);
    if verified == Err(TokenRejected::UnknownKey) {
        codec.look_for_keys().await?;
        verified = codec.verify_refresh(token);
    }
    Ok(verified.map_err(Refusal::from)?)
}
