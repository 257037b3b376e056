//! The end of a session by one of its tokens alone.

use super::{End, EndOne};
use crate::{
    journal::Actor,
    model::{EndReason, Standing},
    ports::{Clock, SessionRepository, StoreError, TokenCodec},
    use_cases::parts::{ServicePorts, verify_either},
};
use secrecy::SecretString;
use std::sync::Arc;

/// Ends the session of a token: a sign-out for clients that name the token and not the session.
pub struct RevokeToken {
    codec: Arc<dyn TokenCodec>,
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    end: End,
}

impl RevokeToken {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            sessions: ports.sessions.clone(),
            clock: ports.clock.clone(),
            end: End::new(ports),
        }
    }

    /// Ends the session that the token is of. What is no token of a live session ends nothing, and that is no error: it is worth nothing
    /// already.
    ///
    /// Any refresh token of the session will do, also one that was replaced: a client that signs out may have lost the answer
    /// with its successor. No device is asked for, as in [`super::SignOut`].
    ///
    /// # Errors
    /// When the user database does not answer; then nothing is claimed to have ended.
    pub async fn execute(&self, token: &SecretString) -> Result<(), StoreError> {
        let now = self.clock.now();
        let Some(token) = verify_either(&*self.codec, token, now).await? else {
            return Ok(());
        };
        let (user, session) = token.owner();
        let record = self.sessions.find(user, session).await?;
        if record.is_some_and(|record| record.standing(now) == Standing::Live) {
            let end = EndOne::new(user, session, EndReason::SignedOut);
            self.end.one(end, Actor::User(user)).await?;
        }
        Ok(())
    }
}
