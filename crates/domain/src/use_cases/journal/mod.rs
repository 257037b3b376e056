//! The journal: one's own activity, what operators read, and the notes of what changes no row.

mod activity;
mod noted_events;
mod read_journal;

pub use activity::Activity;
pub use noted_events::NotedEvents;
pub use read_journal::{JournalPage, ReadJournal};
