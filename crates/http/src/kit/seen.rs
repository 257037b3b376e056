//! Whose tokens a request shows: told to the span around it, so that every line of the log that follows names them.

use crate::http::names;
use async_trait::async_trait;
use revolve_domain::{
    model::Timestamp,
    ports::{
        IdClaims, RefreshClaims, SignError, StoreError, TokenCodec, TokenRejected, VerifiedId,
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// Hands on to a codec and tells the span.
pub(crate) struct SeenTokens(pub(crate) Arc<dyn TokenCodec>);

#[async_trait]
impl TokenCodec for SeenTokens {
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError> {
        self.0.sign_id(claims)
    }

    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError> {
        self.0.sign_refresh(claims)
    }

    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected> {
        self.0
            .verify_id(token, now)
            .inspect(|id| names(id.user, id.session))
    }

    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected> {
        self.0
            .verify_refresh(token)
            .inspect(|claims| names(claims.user, claims.session))
    }

    async fn look_for_keys(&self) -> Result<(), StoreError> {
        self.0.look_for_keys().await
    }
}
