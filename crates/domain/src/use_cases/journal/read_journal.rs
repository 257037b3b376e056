//! The journal as operators read it.

use crate::{
    model::UserId,
    ports::{Followed, Journal, JournalCursor, JournalQuery, JournalRecord},
    use_cases::parts::Failure,
};
use std::sync::Arc;

/// Reads the journal of all accounts.
pub struct ReadJournal {
    journal: Arc<dyn Journal>,
}

impl ReadJournal {
    /// Reads this one.
    pub const fn new(journal: Arc<dyn Journal>) -> Self {
        Self { journal }
    }

    /// The newest entries, the newest first.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn page(&self, query: &JournalQuery) -> Result<Vec<JournalRecord>, Failure> {
        Ok(self.journal.read(query).await?)
    }

    /// What was written after the cursor, of all accounts or of one; without a cursor nothing, and that of now.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn follow(
        &self,
        after: Option<JournalCursor>,
        user: Option<UserId>,
        limit: u32,
    ) -> Result<Followed, Failure> {
        let mut followed = self.journal.follow(after, limit).await?;
        if user.is_some() {
            followed.entries.retain(|entry| entry.user == user);
        }
        Ok(followed)
    }
}
