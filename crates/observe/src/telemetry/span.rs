//! Whose tokens a request shows is recorded in the span around it, so that every log line that follows names them.

use async_trait::async_trait;
use revolve_domain::{
    model::{SessionId, Timestamp, UserId},
    ports::{
        IdClaims, ReauthenticationClaims, RefreshClaims, SignError, StoreError, TokenCodec,
        TokenRejected, VerifiedId,
    },
};
use secrecy::SecretString;
use std::sync::Arc;
use tracing::{Span, field::display};

/// A codec that records user and session of each verified token in the current span.
pub struct IdentifyingTokens(Arc<dyn TokenCodec>);

impl IdentifyingTokens {
    /// Records what `codec` verifies.
    pub fn new(codec: Arc<dyn TokenCodec>) -> Self {
        Self(codec)
    }
}

/// Records in the current span whose request it is.
pub fn identify(user: UserId, session: SessionId) {
    Span::current()
        .record("user", display(user))
        .record("session", display(session));
}

#[async_trait]
impl TokenCodec for IdentifyingTokens {
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError> {
        self.0.sign_id(claims)
    }

    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError> {
        self.0.sign_refresh(claims)
    }

    fn sign_reauthentication(
        &self,
        claims: &ReauthenticationClaims,
    ) -> Result<SecretString, SignError> {
        self.0.sign_reauthentication(claims)
    }

    fn sign_set_up(&self, claims: &VerifiedId) -> Result<SecretString, SignError> {
        self.0.sign_set_up(claims)
    }

    fn verify_set_up(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<VerifiedId, TokenRejected> {
        self.0
            .verify_set_up(token, now)
            .inspect(|id| identify(id.user, id.session))
    }

    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected> {
        self.0
            .verify_id(token, now)
            .inspect(|id| identify(id.user, id.session))
    }

    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected> {
        self.0
            .verify_refresh(token)
            .inspect(|claims| identify(claims.user, claims.session))
    }

    /// It comes with an ID token, which has said whose request it is.
    fn verify_reauthentication(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<ReauthenticationClaims, TokenRejected> {
        self.0.verify_reauthentication(token, now)
    }

    async fn look_for_keys(&self) -> Result<(), StoreError> {
        self.0.look_for_keys().await
    }
}
