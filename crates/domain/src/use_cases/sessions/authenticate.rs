//! Authentication by ID token.

use crate::{
    model::{Session, User},
    ports::{Clock, SessionRepository, TokenCodec},
    use_cases::parts::{Refusal, Refused, ServicePorts, verify_id},
};
use secrecy::SecretString;
use std::sync::Arc;

/// The caller, whose token is valid and whose session is live.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The account.
    pub user: User,
    /// The session.
    pub session: Session,
}

/// Checks ID tokens against the sessions' rows, so that an ended session is refused at once, without the white list.
#[derive(Clone)]
pub struct Authenticate {
    codec: Arc<dyn TokenCodec>,
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
}

impl Authenticate {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            sessions: ports.sessions.clone(),
            clock: ports.clock.clone(),
        }
    }

    /// Verifies the token and reads session and user.
    ///
    /// # Errors
    /// [`Refused::Token`] with the reason, or [`Refused::Failed`] if the user database did not answer.
    pub async fn execute(&self, id_token: &SecretString) -> Result<Authenticated, Refused> {
        let now = self.clock.now();
        let claims = verify_id(&*self.codec, id_token, now).await?;
        let record = self
            .sessions
            .find(claims.user, claims.session)
            .await?
            .ok_or(Refusal::SessionUnknown)?;
        match (Refusal::of(record.standing(now)), record.user) {
            (None, Some(user)) => Ok(Authenticated {
                user,
                session: record.session,
            }),
            (refusal, _) => Err(refusal.unwrap_or(Refusal::SessionRevoked).into()),
        }
    }
}
