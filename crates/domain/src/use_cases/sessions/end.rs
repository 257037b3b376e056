//! What follows the commit that ended sessions: the white list, then the event.

use super::Clear;
use crate::{
    model::{EndReason, Epoch, SessionId, UserId},
    ports::{Clearing, EndOutcome, SecurityEvent, SecurityEvents},
    use_cases::parts::ServicePorts,
};
use std::sync::Arc;

/// Finishes ends whose rows are committed.
#[derive(Clone)]
pub(crate) struct End {
    clear: Clear,
    events: Arc<dyn SecurityEvents>,
}

impl End {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self::with(Clear::new(ports), ports.events.clone())
    }

    pub(crate) fn with(clear: Clear, events: Arc<dyn SecurityEvents>) -> Self {
        Self { clear, events }
    }

    /// One session has ended, now or before; only a new end is an event.
    pub(crate) async fn one(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        outcome: EndOutcome,
    ) {
        self.clear
            .execute(Clearing::Sessions {
                user,
                sessions: vec![session],
            })
            .await;
        if outcome == EndOutcome::Ended {
            self.events.record(SecurityEvent::SessionEnded {
                user,
                session,
                reason,
            });
        }
    }

    /// Every session of the user has ended but `kept`, and `epoch` is the new epoch.
    pub(crate) async fn older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
        reason: EndReason,
    ) {
        self.clear
            .execute(Clearing::Older { user, epoch, kept })
            .await;
        self.events
            .record(SecurityEvent::SessionsEnded { user, kept, reason });
    }

    /// The account is deleted, and with it all of its sessions.
    pub(crate) async fn account(&self, user: UserId) {
        self.clear
            .execute(Clearing::Older {
                user,
                epoch: Epoch::MAX,
                kept: None,
            })
            .await;
        self.events.record(SecurityEvent::AccountDeleted { user });
    }

    /// Leaves the end of a session whose row could not be committed to the background.
    pub(crate) fn defer(&self, user: UserId, session: SessionId, reason: EndReason) {
        self.clear.defer(Clearing::Row {
            user,
            session,
            reason,
        });
    }
}
