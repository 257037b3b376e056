//! Takes ended sessions out of the white list: at once if it answers, in the background if not.

use crate::ports::{Clearing, Clearings, Clock, SessionRepository, StoreError, TokenRepository};
use std::sync::Arc;

/// Carries out clearings. Never what makes an end final: that is the row in the user database.
#[derive(Clone)]
pub struct Clear {
    /// The white list.
    pub tokens: Arc<dyn TokenRepository>,
    /// The sessions' rows.
    pub sessions: Arc<dyn SessionRepository>,
    /// Says when a deferred end was committed.
    pub clock: Arc<dyn Clock>,
    /// Takes what could not be done at once.
    pub clearings: Arc<dyn Clearings>,
}

impl Clear {
    /// Tries at once and defers on failure.
    pub async fn execute(&self, clearing: Clearing) {
        if self.attempt(&clearing).await.is_err() {
            self.clearings.defer(clearing);
        }
    }

    /// Leaves it to the background: for what failed just now.
    pub fn defer(&self, clearing: Clearing) {
        self.clearings.defer(clearing);
    }

    /// Tries once: what the background task calls.
    ///
    /// # Errors
    /// When the store fails; trying again is safe.
    pub async fn attempt(&self, clearing: &Clearing) -> Result<(), StoreError> {
        match clearing {
            Clearing::Sessions { user, sessions } if !sessions.is_empty() => {
                self.tokens.end(*user, sessions).await
            }
            Clearing::Sessions { .. } => Ok(()),
            Clearing::Older { user, epoch, kept } => {
                self.tokens.end_older(*user, *epoch, *kept).await
            }
            Clearing::Row {
                user,
                session,
                reason,
            } => {
                self.sessions
                    .end(*user, *session, *reason, self.clock.now())
                    .await?;
                self.tokens.end(*user, &[*session]).await
            }
        }
    }
}
