//! The end of one session, and what it tells.

use crate::{
    journal::{NewMail, SecurityEvent, Told},
    model::{EndReason, SessionId, UserId},
    ports::EndOutcome,
};

/// The end of one session.
#[derive(Clone)]
pub(crate) struct EndOne {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) reason: EndReason,
    /// What it ends for.
    pub(crate) cause: Option<SecurityEvent>,
    /// What its user is told by mail.
    pub(crate) notice: Option<NewMail>,
}

impl EndOne {
    pub(crate) const fn new(user: UserId, session: SessionId, reason: EndReason) -> Self {
        Self {
            user,
            session,
            reason,
            cause: None,
            notice: None,
        }
    }

    /// What the outcome tells: only a new end is one.
    pub(crate) fn told(&self, outcome: EndOutcome) -> Told {
        let cause = self.cause.clone();
        match outcome {
            EndOutcome::Ended => Told {
                events: cause.into_iter().chain([self.ended()]).collect(),
                mails: self.notice.clone().into_iter().collect(),
            },
            // Its account may be deleted.
            EndOutcome::AlreadyEnded => {
                let cause = cause.map(without_addresses);
                Told::from(cause.into_iter().collect::<Vec<_>>())
            }
            EndOutcome::NotFound => Told::default(),
        }
    }

    /// The event of the end.
    pub(crate) const fn ended(&self) -> SecurityEvent {
        SecurityEvent::SessionEnded {
            user: self.user,
            session: self.session,
            reason: self.reason,
        }
    }
}

fn without_addresses(mut event: SecurityEvent) -> SecurityEvent {
    if let SecurityEvent::SessionReused {
        session_address,
        address,
        ..
    } = &mut event
    {
        (*session_address, *address) = (None, None);
    }
    event
}
