//! The journal in memory.

use revolve_domain::{
    journal::Tell,
    model::{EventId, Timestamp, UserId},
    ports::{Followed, JournalCursor, JournalQuery, JournalRecord},
};

/// The entries in the order of their commits, each with its number.
#[derive(Debug, Default)]
pub(super) struct Entries {
    entries: Vec<(u64, JournalRecord)>,
    last: u64,
}

impl Entries {
    /// Writes what an outcome tells.
    pub(super) fn tell<O>(&mut self, tell: &Tell<O>, outcome: &O) {
        for entry in tell.of(outcome).0 {
            self.push(JournalRecord::from(&entry));
        }
    }

    pub(super) fn find(&self, id: EventId) -> Option<JournalRecord> {
        let mut entries = self.entries.iter();
        entries
            .find(|(_, entry)| entry.id == id)
            .map(|(_, entry)| entry.clone())
    }

    pub(super) fn scrub(&mut self, user: UserId) {
        let own = self
            .entries
            .iter_mut()
            .filter(|(_, entry)| entry.user == Some(user));
        own.for_each(|(_, entry)| entry.scrub());
    }

    pub(super) fn read(&self, query: &JournalQuery) -> Vec<JournalRecord> {
        let place = |(number, entry): &(u64, JournalRecord)| (entry.at, *number);
        let after = query.after.map(|after| {
            let mut entries = self.entries.iter();
            let found = entries.find(|(_, entry)| entry.id == after && query.is_about(entry));
            found.map(place)
        });
        let mut found: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| query.admits(entry))
            .filter(|entry| after.is_none_or(|after| Some(place(entry)) < after))
            .collect();
        found.sort_by_key(|entry| std::cmp::Reverse(place(entry)));
        let found = found.into_iter().take(query.limit as usize);
        found.map(|(_, entry)| entry.clone()).collect()
    }

    pub(super) fn follow(&self, after: Option<JournalCursor>, limit: u32) -> Followed {
        let from = after.map_or(self.last, |after| after.number);
        let new: Vec<_> = self
            .entries
            .iter()
            .filter(|(number, _)| *number > from)
            .take(limit as usize)
            .collect();
        Followed {
            cursor: JournalCursor {
                commit: 0,
                number: new.last().map_or(from, |(number, _)| *number),
            },
            entries: new.into_iter().map(|(_, entry)| entry.clone()).collect(),
        }
    }

    pub(super) fn note(&mut self, note: JournalRecord) {
        let known = self
            .entries
            .iter_mut()
            .find(|(_, entry)| entry.id == note.id);
        match known {
            Some((_, entry)) => entry.count += note.count,
            None => self.push(note),
        }
    }

    pub(super) fn prune(&mut self, before: Timestamp, limit: u32) -> u64 {
        let mut pruned = 0;
        self.entries.retain(|(_, entry)| {
            let goes = entry.at < before && pruned < u64::from(limit);
            pruned += u64::from(goes);
            !goes
        });
        pruned
    }

    fn push(&mut self, entry: JournalRecord) {
        self.last += 1;
        self.entries.push((self.last, entry));
    }
}
