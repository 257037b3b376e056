//! The end of sessions: the commit, then the white list, then the events.

use super::{Clear, EndOne};
use crate::{
    journal::Actor,
    model::{EndReason, Epoch, SessionId, UserId},
    ports::{Clearing, Clock, EndOutcome, SecurityEvent, SessionRepository, StoreError},
    use_cases::parts::{Recorder, ServicePorts},
};
use std::sync::Arc;

/// Ends sessions.
#[derive(Clone)]
pub(crate) struct End {
    clear: Clear,
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl End {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self::with(
            Clear::new(ports),
            ports.sessions.clone(),
            ports.clock.clone(),
            Recorder::new(ports),
        )
    }

    pub(crate) fn with(
        clear: Clear,
        sessions: Arc<dyn SessionRepository>,
        clock: Arc<dyn Clock>,
        recorder: Recorder,
    ) -> Self {
        Self {
            clear,
            sessions,
            clock,
            recorder,
        }
    }

    /// Ends one session.
    pub(crate) async fn one(&self, end: EndOne, actor: Actor) -> Result<EndOutcome, StoreError> {
        let (user, session, reason) = (end.user, end.session, end.reason);
        let now = self.clock.now();
        let told = move |outcome: &EndOutcome| end.told(*outcome);
        let tell = self.recorder.tell(now, actor, told);
        let outcome = self.sessions.end(user, session, reason, now, &tell).await?;
        if outcome != EndOutcome::NotFound {
            self.clear
                .execute(Clearing::Sessions {
                    user,
                    sessions: vec![session],
                })
                .await;
            self.recorder.record(&tell, &outcome);
        }
        Ok(outcome)
    }

    /// Ends every session of the user but `kept`; `None` if there is no such account or `kept` is no longer live.
    pub(crate) async fn all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        actor: Actor,
    ) -> Result<Option<Epoch>, StoreError> {
        let now = self.clock.now();
        let tell = self
            .recorder
            .tell(now, actor, move |outcome: &Option<Epoch>| {
                let ended = SecurityEvent::SessionsEnded { user, kept, reason };
                outcome.map(|_| ended).into_iter().collect::<Vec<_>>()
            });
        let outcome = self
            .sessions
            .end_all(user, kept, reason, now, &tell)
            .await?;
        if let Some(epoch) = outcome {
            self.clear_older(user, epoch, kept).await;
            self.recorder.record(&tell, &outcome);
        }
        Ok(outcome)
    }

    /// Leaves the end of a session whose row could not be committed to the background; its cause is recorded now.
    pub(crate) fn defer(&self, end: EndOne) {
        if let Some(cause) = end.cause.clone() {
            self.recorder.record_event(cause);
        }
        self.clear.defer(Clearing::Row {
            user: end.user,
            session: end.session,
            reason: end.reason,
            cause: end.cause.map(Box::new),
            notice: end.notice.map(Box::new),
        });
    }

    /// Every session of the user has ended but `kept`, and `epoch` is the new epoch.
    pub(crate) async fn clear_older(&self, user: UserId, epoch: Epoch, kept: Option<SessionId>) {
        self.clear
            .execute(Clearing::Older { user, epoch, kept })
            .await;
    }

    /// The account is deleted, and with it all of its sessions.
    pub(crate) async fn clear_account(&self, user: UserId) {
        self.clear_older(user, Epoch::MAX, None).await;
    }
}
