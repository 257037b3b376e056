//! The journal.

use super::MemoryAccounts;
use async_trait::async_trait;
use revolve_domain::{
    model::Timestamp,
    ports::{Followed, Journal, JournalCursor, JournalQuery, JournalRecord, StoreError},
};

#[async_trait]
impl Journal for MemoryAccounts {
    async fn read(&self, query: &JournalQuery) -> Result<Vec<JournalRecord>, StoreError> {
        Ok(self.tables().journal.read(query))
    }

    async fn follow(
        &self,
        after: Option<JournalCursor>,
        limit: u32,
    ) -> Result<Followed, StoreError> {
        Ok(self.tables().journal.follow(after, limit))
    }

    async fn note(&self, notes: &[JournalRecord]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for note in notes {
            let mut note = note.clone();
            if note
                .user
                .is_some_and(|user| !tables.users.contains_key(&user))
            {
                note.scrub();
            }
            tables.journal.note(note);
        }
        Ok(())
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.tables().journal.prune(before, limit))
    }
}
