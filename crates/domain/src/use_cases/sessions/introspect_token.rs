//! Whether a token counts, for a service that can't verify it by itself.

use crate::{
    model::{SessionId, Standing, User, UserId},
    ports::{
        Clock, RefreshClaims, SessionRepository, StoreError, TokenCodec, TokenRepository,
        VerifiedId,
    },
    use_cases::parts::{ServicePorts, SessionToken, verify_either},
};
use secrecy::SecretString;
use std::sync::Arc;

/// A token that counts.
#[derive(Clone, Debug)]
pub enum ActiveToken {
    /// An ID token of a live session.
    Id {
        /// Its claims.
        claims: VerifiedId,
        /// The account as it is now; the token's claims are as old as the token.
        user: Box<User>,
    },
    /// The refresh token that a live session would use next.
    Refresh(RefreshClaims),
}

/// Tells whether tokens count. It changes nothing: a refresh token is as good afterwards as before.
pub struct IntrospectToken {
    codec: Arc<dyn TokenCodec>,
    sessions: Arc<dyn SessionRepository>,
    tokens: Arc<dyn TokenRepository>,
    clock: Arc<dyn Clock>,
}

impl IntrospectToken {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            sessions: ports.sessions.clone(),
            tokens: ports.tokens.clone(),
            clock: ports.clock.clone(),
        }
    }

    /// What the token is, if it counts; `None` for anything else, whatever the reason.
    ///
    /// A refresh token that was replaced does not count any more, although a retry with it may still be answered: its successor does.
    /// No device is asked for: to use a token of a bound session takes more than the token.
    ///
    /// # Errors
    /// When a store does not answer; then nothing is said of the token.
    pub async fn execute(&self, token: &SecretString) -> Result<Option<ActiveToken>, StoreError> {
        let now = self.clock.now();
        match verify_either(&*self.codec, token, now).await? {
            None => Ok(None),
            Some(SessionToken::Id(claims)) => {
                let user = self.owner(claims.user, claims.session).await?;
                Ok(user.map(|user| ActiveToken::Id {
                    claims,
                    user: Box::new(user),
                }))
            }
            Some(SessionToken::Refresh(claims)) => {
                let is_owned = self.owner(claims.user, claims.session).await?.is_some();
                let counts = is_owned && self.is_newest(&claims).await?;
                Ok(counts.then_some(ActiveToken::Refresh(claims)))
            }
        }
    }

    /// The account of a session, if it is live.
    async fn owner(&self, user: UserId, session: SessionId) -> Result<Option<User>, StoreError> {
        let record = self.sessions.find(user, session).await?;
        let now = self.clock.now();
        let live = record.filter(|record| record.standing(now) == Standing::Live);
        Ok(live.and_then(|record| record.user))
    }

    /// Whether it is the white-listed token, or proves that the white list has lost newer ones: the next refresh heals that.
    async fn is_newest(&self, claims: &RefreshClaims) -> Result<bool, StoreError> {
        let live = self.tokens.list(claims.user).await?;
        let live = live
            .into_iter()
            .find(|live| live.session == claims.session)
            .map(|live| live.token);
        Ok(live.is_some_and(|live| {
            if live.generation == claims.generation {
                live.issued_at == claims.issued_at
            } else {
                live.generation < claims.generation && self.clock.now() < claims.expires_at
            }
        }))
    }
}
