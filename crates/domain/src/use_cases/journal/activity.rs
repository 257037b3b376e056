//! What happened to one's own account.

use super::read_journal::{JournalPage, page};
use crate::{
    model::EventId,
    ports::{Journal, JournalQuery},
    use_cases::{
        parts::{Refused, ServicePorts},
        sessions::{Authenticate, Caller},
    },
};
use std::sync::Arc;

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
    ) -> Result<JournalPage, Refused> {
        let authenticated = self.authenticate.on_device(caller).await?;
        let query = JournalQuery {
            user: Some(authenticated.user.id),
            after,
            limit,
            ..JournalQuery::default()
        };
        Ok(page(&*self.journal, query).await?)
    }
}
