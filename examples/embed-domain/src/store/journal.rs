//! The journal: a list in the order of commits, in which an entry's number is its index among all that there ever were.

use super::{Lists, MemoryStore};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{Timestamp, UserId},
    ports::{Followed, Journal, JournalCursor, JournalQuery, JournalRecord, StoreError},
};
use std::cmp::Reverse;

impl MemoryStore {
    /// A change and what its outcome tells: nobody sees one without the other.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the methods of ports answer it as it is"
    )]
    pub(super) fn change<T>(
        &self,
        tell: &Tell<T>,
        work: impl FnOnce(&mut Lists) -> T,
    ) -> Result<T, StoreError> {
        let mut lists = self.lists();
        let outcome = work(&mut lists);
        for entry in tell.of(&outcome).0 {
            lists.write_down(JournalRecord::from(&entry));
        }
        Ok(outcome)
    }
}

impl Lists {
    fn write_down(&mut self, entry: JournalRecord) {
        self.last_entry += 1;
        self.journal.push((self.last_entry, entry));
    }

    /// Removes what identifies the person of an account.
    pub(super) fn scrub(&mut self, user: UserId) {
        for (_, entry) in &mut self.journal {
            if entry.user == Some(user) {
                entry.scrub();
            }
        }
    }
}

#[async_trait]
impl Journal for MemoryStore {
    async fn read(&self, query: &JournalQuery) -> Result<Vec<JournalRecord>, StoreError> {
        let lists = self.lists();
        let mut found: Vec<&(u64, JournalRecord)> = lists
            .journal
            .iter()
            .filter(|(_, entry)| query.is_about(entry))
            .collect();
        found.sort_by_key(|(number, entry)| Reverse((entry.at, *number)));
        let skipped = match query.after {
            None => 0,
            Some(after) => found
                .iter()
                .position(|(_, entry)| entry.id == after)
                .map_or(found.len(), |place| place + 1),
        };
        let older = found.into_iter().skip(skipped).map(|(_, entry)| entry);
        let asked = older.filter(|entry| query.admits(entry));
        Ok(asked.take(query.limit as usize).cloned().collect())
    }

    async fn follow(
        &self,
        after: Option<JournalCursor>,
        limit: u32,
    ) -> Result<Followed, StoreError> {
        let lists = self.lists();
        let mut cursor = after.unwrap_or(JournalCursor {
            commit: 0,
            number: lists.last_entry,
        });
        let newer = lists
            .journal
            .iter()
            .skip_while(|(number, _)| *number <= cursor.number);
        let newer: Vec<_> = newer.take(limit as usize).cloned().collect();
        if let Some((number, _)) = newer.last() {
            cursor.number = *number;
        }
        Ok(Followed {
            entries: newer.into_iter().map(|(_, entry)| entry).collect(),
            cursor,
        })
    }

    async fn note(&self, notes: &[JournalRecord]) -> Result<(), StoreError> {
        let mut lists = self.lists();
        for note in notes {
            let known = lists
                .journal
                .iter_mut()
                .find(|(_, entry)| entry.id == note.id);
            if let Some((_, entry)) = known {
                entry.count += note.count;
                continue;
            }
            let mut note = note.clone();
            if note.user.is_some_and(|user| lists.account(user).is_none()) {
                note.scrub();
            }
            lists.write_down(note);
        }
        Ok(())
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let (mut lists, mut pruned) = (self.lists(), 0);
        lists.journal.retain(|(_, entry)| {
            let goes = entry.at < before && pruned < u64::from(limit);
            pruned += u64::from(goes);
            !goes
        });
        Ok(pruned)
    }
}
