//! Who is calling, by ID token.

use crate::{
    model::{Session, User},
    ports::{Clock, SessionRepository, TokenCodec},
    use_cases::parts::{Refusal, Refused, verify_id},
};
use secrecy::SecretString;
use std::sync::Arc;

/// A caller whose token and session are both good.
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
    /// Verifies.
    pub codec: Arc<dyn TokenCodec>,
    /// The sessions' rows.
    pub sessions: Arc<dyn SessionRepository>,
    /// Says when.
    pub clock: Arc<dyn Clock>,
}

impl Authenticate {
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
