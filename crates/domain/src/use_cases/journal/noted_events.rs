//! Notes of what changes no row, such as refused sign-ins: bounded, whatever a flood of requests does.

use crate::{
    journal::{Actor, JournalEntry},
    model::{EventId, Timestamp, UserId},
    ports::{Clock, Journal, JournalRecord, Journaled, SecurityEvent, SecurityEvents, StoreError},
};
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::{Uuid, uuid};

/// The ids of notes are names below this one, so that all replicas count in the same row.
const NAMESPACE: Uuid = uuid!("6d0c9d0e-6f0b-4c55-9a4b-3c1f8f5f0b7a");

/// Passes events on, and keeps those that are [`Journaled::Noted`] until they are [written](Self::flush): one for each name, account,
/// address and minute, with a count.
pub struct NotedEvents {
    next: Arc<dyn SecurityEvents>,
    clock: Arc<dyn Clock>,
    notes: Mutex<Notes>,
}

/// What makes notes the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct NoteKey {
    event: &'static str,
    user: Option<UserId>,
    address: Option<IpAddr>,
    /// Whether it is of a session, where the same may be noted of strangers.
    in_session: bool,
}

impl NoteKey {
    /// What the id of its note in this minute is made of: the same in each replica of each release.
    fn name(&self, minute: i64) -> String {
        let user = self.user.map(|user| user.to_string()).unwrap_or_default();
        let address = self.address.map(|address| address.to_string());
        let by = if self.in_session { " in_session" } else { "" };
        format!(
            "event={} user={user} address={} minute={minute}{by}",
            self.event,
            address.unwrap_or_default()
        )
    }
}

#[derive(Default)]
struct Notes {
    /// Since 1970.
    minute: i64,
    /// The keys of this minute.
    keys: HashSet<NoteKey>,
    waiting: HashMap<EventId, JournalRecord>,
}

impl NotedEvents {
    /// The most keys of a minute. Beyond it events of a name are counted in one note that says nothing else.
    pub const MAX_KEYS: usize = 64;

    /// Passes events on to `next`.
    pub fn new(next: Arc<dyn SecurityEvents>, clock: Arc<dyn Clock>) -> Self {
        Self {
            next,
            clock,
            notes: Mutex::default(),
        }
    }

    /// Writes what has been noted since the last time. Call it every second, and before the end.
    ///
    /// # Errors
    /// The journal's; the notes stay for the next time. Some may have been written, and are then counted twice.
    pub async fn flush(&self, journal: &dyn Journal) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.notes().waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let mut notes: Vec<_> = waiting.into_values().collect();
        notes.sort_by_key(|note| note.at);
        let written = journal.note(&notes).await;
        if written.is_err() {
            let mut kept = self.notes();
            for note in notes {
                kept.add(note);
            }
        }
        written
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecurityEvents for NotedEvents {
    fn record(&self, event: SecurityEvent) {
        if event.journaled() == Journaled::Noted {
            let now = self.clock.now();
            self.notes().note(&event, now);
        }
        self.next.record(event);
    }
}

impl Notes {
    fn note(&mut self, event: &SecurityEvent, now: Timestamp) {
        let minute = now.as_millis().div_euclid(60_000);
        if minute != self.minute {
            self.minute = minute;
            self.keys.clear();
        }
        let mut note = JournalRecord::from(&JournalEntry {
            id: EventId::from_uuid(NAMESPACE),
            at: now,
            actor: actor(event),
            event: event.clone(),
        });
        let mut key = NoteKey {
            event: event.name(),
            user: note.user,
            address: note.address,
            in_session: is_in_session(event),
        };
        if !self.keys.contains(&key) && !self.has_room() {
            key = NoteKey {
                user: None,
                address: None,
                in_session: false,
                ..key
            };
            note.actor = Actor::Stranger;
            (note.user, note.session) = (None, None);
            note.details.clear();
            note.scrub();
        }
        note.id = note.id.derive(&key.name(minute));
        self.keys.insert(key);
        self.add(note);
    }

    /// While the journal can't be written, several minutes wait together.
    fn has_room(&self) -> bool {
        self.keys.len() < NotedEvents::MAX_KEYS && self.waiting.len() < 4 * NotedEvents::MAX_KEYS
    }

    fn add(&mut self, note: JournalRecord) {
        self.waiting
            .entry(note.id)
            .and_modify(|waiting| {
                // It says only what is true of all that it counts.
                if waiting.session != note.session {
                    waiting.session = None;
                }
                if waiting.device != note.device {
                    waiting.device = None;
                }
                waiting
                    .details
                    .retain(|name, value| note.details.get(name) == Some(&*value));
                waiting.at = waiting.at.min(note.at);
                waiting.count = waiting.count.saturating_add(note.count);
            })
            .or_insert(note);
    }
}

/// What changes no row was asked for by a stranger, but for what a user has shown in a session.
const fn actor(event: &SecurityEvent) -> Actor {
    match event {
        SecurityEvent::SessionReauthenticated { user, .. }
        | SecurityEvent::FactorRefused {
            user: Some(user),
            session: Some(_),
            ..
        } => Actor::User(*user),
        _ => Actor::Stranger,
    }
}

const fn is_in_session(event: &SecurityEvent) -> bool {
    matches!(
        event,
        SecurityEvent::FactorRefused {
            session: Some(_),
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionId;

    #[test]
    fn a_note_says_only_what_all_have_in_common() {
        let event = |session: u8| SecurityEvent::DeviceMismatch {
            user: UserId::from_random([1; 16]),
            session: SessionId::from_random([session; 16]),
            address: None,
        };
        for (second, common) in [(2, Some(2)), (3, None)] {
            let mut notes = Notes::default();
            for session in [2, second] {
                notes.note(&event(session), Timestamp::from_seconds(0));
            }
            let found: Vec<_> = notes.waiting.into_values().collect();
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].count, found[0].session),
                (
                    2,
                    common.map(|session| SessionId::from_random([session; 16]))
                )
            );
        }
    }

    #[test]
    fn what_a_session_was_refused_is_not_counted_with_what_strangers_were() {
        let user = UserId::from_random([1; 16]);
        let mut notes = Notes::default();
        for session in [None, Some(SessionId::from_random([2; 16])), None] {
            let refused = SecurityEvent::FactorRefused {
                user: Some(user),
                session,
                address: None,
            };
            notes.note(&refused, Timestamp::from_seconds(0));
        }
        let mut found: Vec<_> = notes.waiting.into_values().collect();
        found.sort_by_key(|note| note.count);
        let found = found.iter().map(|note| (note.actor, note.count));
        let wanted = [(Actor::User(user), 1), (Actor::Stranger, 2)];
        assert_eq!(found.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn the_id_of_a_note_is_made_of_stable_names() {
        let mut key = NoteKey {
            event: "sign_in.refused",
            user: None,
            address: Some([192, 0, 2, 1].into()),
            in_session: false,
        };
        assert_eq!(
            key.name(7),
            "event=sign_in.refused user= address=192.0.2.1 minute=7"
        );
        key.address = None;
        assert_eq!(key.name(7), "event=sign_in.refused user= address= minute=7");
    }
}
