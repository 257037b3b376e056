//! The revocations of the feed, in a form to look up.

use super::document::RevocationDocument;
use crate::claims::Claims;
use std::collections::HashMap;
use uuid::Uuid;

/// Ended sessions and raised epochs.
///
/// Each new document is added; an entry goes when the last document that had it has expired. A session never comes back to life, so
/// this can't refuse too much; and a replica of the issuer that is behind can't undo a revocation.
#[derive(Clone, Debug, Default)]
pub(super) struct RevocationSnapshot {
    /// Ended sessions, each with the end of its entry.
    sessions: HashMap<Uuid, u64>,
    users: HashMap<Uuid, Raised>,
}

/// A user whose epoch rose.
#[derive(Clone, Copy, Debug)]
struct Raised {
    epoch: u64,
    kept: Option<Uuid>,
    until: u64,
}

impl RevocationSnapshot {
    /// With one more document.
    pub(super) fn with(&self, document: &RevocationDocument, now: u64) -> Self {
        let mut next = self.clone();
        next.sessions.retain(|_, until| *until > now);
        next.users.retain(|_, raised| raised.until > now);
        let until = document.exp;
        for (session, _) in &document.sessions {
            let known = next.sessions.entry(*session).or_insert(until);
            *known = until.max(*known);
        }
        for &(user, epoch, kept) in &document.users {
            let raised = next
                .users
                .entry(user)
                .or_insert(Raised { epoch, kept, until });
            if epoch >= raised.epoch {
                *raised = Raised {
                    epoch,
                    kept,
                    until: until.max(raised.until),
                };
            }
        }
        next
    }

    /// Whether the token's session has ended.
    pub(super) fn revokes(&self, claims: &Claims) -> bool {
        self.sessions.contains_key(&claims.session)
            || self.users.get(&claims.user.uid).is_some_and(|raised| {
                raised.epoch > claims.epoch && raised.kept != Some(claims.session)
            })
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len() + self.users.len()
    }
}
