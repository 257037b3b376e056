//! The journal as operators read it.

use crate::{
    model::EventId,
    ports::{Followed, Journal, JournalCursor, JournalQuery, JournalRecord, StoreError},
    use_cases::parts::Failure,
};
use std::sync::Arc;

/// A page of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPage {
    /// The newest first.
    pub entries: Vec<JournalRecord>,
    /// The entry after which the next page begins; `None` on the last one.
    pub next: Option<EventId>,
}

/// Reads a page, and whether there is another.
pub(super) async fn page(
    journal: &dyn Journal,
    query: JournalQuery,
) -> Result<JournalPage, StoreError> {
    let limit = query.limit;
    let mut entries = journal
        .read(&JournalQuery {
            limit: limit.saturating_add(1),
            ..query
        })
        .await?;
    let is_last = entries.len() <= limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().map(|entry| entry.id).filter(|_| !is_last);
    Ok(JournalPage { entries, next })
}

/// Reads the journal of all accounts.
pub struct ReadJournal {
    journal: Arc<dyn Journal>,
}

impl ReadJournal {
    /// Reads this one.
    pub const fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal }
    }

    /// The newest entries that the query asks for, the newest first.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn page(&self, query: JournalQuery) -> Result<JournalPage, Failure> {
        Ok(page(&*self.journal, query).await?)
    }

    /// What was committed after the cursor, of up to as many entries as the query says those that it asks for; without a cursor nothing, and
    /// that of now. No entry is missed, however long its commit takes.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn follow(
        &self,
        after: Option<JournalCursor>,
        query: &JournalQuery,
    ) -> Result<Followed, Failure> {
        let mut followed = self.journal.follow(after, query.limit).await?;
        followed.entries.retain(|entry| query.admits(entry));
        Ok(followed)
    }
}
