//! Deferred removal of white-list entries.

use crate::{
    journal::{NewMail, SecurityEvent},
    model::{EndReason, Epoch, SessionId, UserId},
};
use std::fmt;

/// A clearing to try again. It never makes an end final: that is the row in the user database, which is committed already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clearing {
    /// Remove these sessions from the white list.
    Sessions {
        /// The account.
        user: UserId,
        /// The sessions.
        sessions: Vec<SessionId>,
    },
    /// Remove the user's sessions of older epochs from the white list.
    Older {
        /// The account.
        user: UserId,
        /// Entries of older epochs are removed.
        epoch: Epoch,
        /// The session whose entry stays.
        kept: Option<SessionId>,
    },
    /// Commit the end of a session, then remove it from the white list.
    Row {
        /// The account.
        user: UserId,
        /// The session.
        session: SessionId,
        /// The reason of the end.
        reason: EndReason,
        /// What it ends for, to be told with it.
        cause: Option<Box<SecurityEvent>>,
        /// What its user is told by mail, if it ends it.
        notice: Option<Box<NewMail>>,
    },
}

/// For logs: what is cleared, without anything that a client has chosen.
impl fmt::Display for Clearing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sessions { user, sessions } => {
                write!(f, "the entries of {} sessions of {user}", sessions.len())
            }
            Self::Older { user, epoch, .. } => {
                write!(f, "the entries of {user} before epoch {}", epoch.number())
            }
            Self::Row {
                user,
                session,
                reason,
                ..
            } => write!(f, "the end of {session} of {user}: {}", reason.name()),
        }
    }
}

/// Carries out clearings in the background.
pub trait Clearings: Send + Sync {
    /// Queues a clearing, to be tried until it succeeds. MUST NOT block. It MAY be lost with the process: entries of ended sessions are
    /// not valid and expire.
    fn defer(&self, clearing: Clearing);
}
