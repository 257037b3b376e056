//! Removes ended sessions from the white list: at once if it answers, in the background if not.

use super::EndOne;
use crate::{
    journal::Actor,
    ports::{
        Clearing, Clearings, Clock, EndOutcome, SessionRepository, StoreError, TokenRepository,
    },
    use_cases::parts::{Recorder, ServicePorts},
};
use std::sync::Arc;

/// Carries out clearings. They never make an end final: the row in the user database does.
#[derive(Clone)]
pub struct Clear {
    tokens: Arc<dyn TokenRepository>,
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    clearings: Arc<dyn Clearings>,
    recorder: Recorder,
}

impl Clear {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self::with(
            ports.tokens.clone(),
            ports.sessions.clone(),
            ports.clock.clone(),
            ports.clearings.clone(),
            Recorder::new(ports),
        )
    }

    pub(crate) fn with(
        tokens: Arc<dyn TokenRepository>,
        sessions: Arc<dyn SessionRepository>,
        clock: Arc<dyn Clock>,
        clearings: Arc<dyn Clearings>,
        recorder: Recorder,
    ) -> Self {
        Self {
            tokens,
            sessions,
            clock,
            clearings,
            recorder,
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
                cause,
                notice,
            } => {
                let end = EndOne {
                    cause: cause.as_deref().cloned(),
                    notice: notice.as_deref().cloned(),
                    ..EndOne::new(*user, *session, *reason)
                };
                self.end_row(end).await?;
                self.tokens.end(*user, &[*session]).await
            }
        }
    }

    /// The cause was recorded when it was found.
    async fn end_row(&self, end: EndOne) -> Result<(), StoreError> {
        let (user, session, reason) = (end.user, end.session, end.reason);
        let (now, ended) = (self.clock.now(), end.ended());
        let told = move |outcome: &EndOutcome| end.told(*outcome);
        let tell = self.recorder.tell(now, Actor::System, told);
        let outcome = self.sessions.end(user, session, reason, now, &tell).await?;
        if outcome == EndOutcome::Ended {
            self.recorder.record_event(ended);
        }
        self.recorder.ring(&tell.told(&outcome).mails);
        Ok(())
    }
}
