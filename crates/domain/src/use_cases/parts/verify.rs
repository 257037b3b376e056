//! Verification of tokens. A key that is unknown here may be one that another replica has just made: the keys are read once
//! more before the token is refused.

use super::{Refusal, Refused};
use crate::{
    model::Timestamp,
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

pub(crate) async fn verify_refresh(
    codec: &dyn TokenCodec,
    token: &SecretString,
) -> Result<RefreshClaims, Refused> {
    let verified = with_all_keys(codec, || codec.verify_refresh(token)).await?;
    Ok(verified.map_err(Refusal::from)?)
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
