//! What happened to one's own account.

use crate::{
    model::EventId,
    ports::{Journal, JournalQuery, JournalRecord},
    use_cases::{
        parts::{Refused, ServicePorts},
        sessions::{Authenticate, Caller},
    },
};
use std::sync::Arc;

/// A page of the journal of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityPage {
    /// The newest first.
    pub entries: Vec<JournalRecord>,
    /// The entry after which the next page begins; `None` on the last one.
    pub next: Option<EventId>,
}

/// Reads the journal of the caller's account.
pub struct Activity {
    authenticate: Authenticate,
    journal: Arc<dyn Journal>,
}

impl Activity {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            journal: ports.journal.clone(),
        }
    }

    /// The newest entries, or those that follow `after`; `limit` at most. A bound session needs its device.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn execute(
        &self,
        caller: &Caller,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<ActivityPage, Refused> {
        let authenticated = self.authenticate.on_device(caller).await?;
        let query = JournalQuery {
            user: Some(authenticated.user.id),
            after,
            limit: limit.saturating_add(1),
        };
        let mut entries = self.journal.read(&query).await?;
        let is_last = entries.len() <= limit as usize;
        entries.truncate(limit as usize);
        let next = entries.last().map(|entry| entry.id).filter(|_| !is_last);
        Ok(ActivityPage { entries, next })
    }
}
