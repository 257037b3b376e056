//! White-list entries that should go but could not yet.

use crate::model::{EndReason, Epoch, SessionId, UserId};

/// A clearing to try again. It never is what makes an end final: the user database has it already.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Clearing {
    /// Remove these sessions from the white list.
    Sessions {
        /// Whose.
        user: UserId,
        /// Which.
        sessions: Vec<SessionId>,
    },
    /// Remove the user's sessions of older epochs from the white list.
    Older {
        /// Whose.
        user: UserId,
        /// Entries below this epoch go.
        epoch: Epoch,
        /// But for this one.
        kept: Option<SessionId>,
    },
    /// Commit the end of a session, then remove it from the white list.
    Row {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// Why.
        reason: EndReason,
    },
}

/// Carries out clearings in the background.
pub trait Clearings: Send + Sync {
    /// Takes a clearing to try again until it works. MUST NOT block. It MAY be lost with the process: entries of ended
    /// sessions are worth nothing and die by themselves.
    fn defer(&self, clearing: Clearing);
}
