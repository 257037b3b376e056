//! Removes ended sessions from the white list: at once if it answers, in the background if not.

use crate::{
    ports::{Clearing, Clearings, Clock, SessionRepository, StoreError, TokenRepository},
    use_cases::parts::ServicePorts,
};
use std::sync::Arc;

/// Carries out clearings. They never make an end final: the row in the user database does.
#[derive(Clone)]
pub struct Clear {
    tokens: Arc<dyn TokenRepository>,
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    clearings: Arc<dyn Clearings>,
}

impl Clear {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self::with(
            ports.tokens.clone(),
            ports.sessions.clone(),
            ports.clock.clone(),
            ports.clearings.clone(),
        )
    }

    pub(crate) fn with(
        tokens: Arc<dyn TokenRepository>,
        sessions: Arc<dyn SessionRepository>,
        clock: Arc<dyn Clock>,
        clearings: Arc<dyn Clearings>,
    ) -> Self {
        Self {
            tokens,
            sessions,
            clock,
            clearings,
        }
    }

    /// Tries at once and defers on failure.
    pub async fn execute(&self, clearing: Clearing) {
        if self.attempt(&clearing).await.is_err() {
            self.clearings.defer(clearing);
        }
    }

    /// Leaves it to the background, for a clearing that has just failed.
    pub fn defer(&self, clearing: Clearing) {
        self.clearings.defer(clearing);
    }

    /// Tries once; the background task calls this.
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
