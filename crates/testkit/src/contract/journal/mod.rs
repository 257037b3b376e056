//! The contract of the [`Journal`], and of the `tell` that every change takes.

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod note;
mod read;
mod told;

pub use note::*;
pub use read::*;
pub use told::*;

use super::{
    JournalSubject,
    accounts::Accounts,
    given::{START, label, random, secs},
};
use revolve_domain::{
    journal::{Actor, JournalEntry, Tell},
    model::{EndReason, EventId, Generation, Session, User, UserId},
    ports::{Followed, Journal, JournalCursor, JournalQuery, JournalRecord, SecurityEvent},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::yield_now;

/// How long a follower may wait for transactions of others.
const PATIENCE: Duration = Duration::from_mins(1);

struct Scene {
    accounts: Accounts,
    journal: Arc<dyn Journal>,
}

impl Scene {
    fn new(subject: &dyn JournalSubject) -> Self {
        Self {
            accounts: Accounts::new(subject),
            journal: subject.journal(),
        }
    }

    /// The newest entries about the user.
    async fn entries(&self, user: UserId) -> Vec<JournalRecord> {
        self.page(user, None, 100).await
    }

    async fn page(&self, user: UserId, after: Option<EventId>, limit: u32) -> Vec<JournalRecord> {
        let query = JournalQuery {
            user: Some(user),
            after,
            limit,
            ..JournalQuery::default()
        };
        self.journal.read(&query).await.expect("read works")
    }

    /// The names of the entries about the user, the newest first.
    async fn names(&self, user: UserId) -> Vec<String> {
        let entries = self.entries(user).await;
        entries.into_iter().map(|entry| entry.event).collect()
    }

    async fn follow(&self, after: Option<JournalCursor>, limit: u32) -> Followed {
        let followed = self.journal.follow(after, limit).await;
        followed.expect("follow works")
    }

    /// What comes after the cursor, until so many entries have come.
    async fn follow_until(&self, mut cursor: JournalCursor, count: usize) -> Vec<JournalRecord> {
        let (mut found, begun) = (Vec::new(), Instant::now());
        while found.len() < count {
            assert!(begun.elapsed() < PATIENCE, "only {found:?} came");
            let followed = self.follow(Some(cursor), 2).await;
            assert!(followed.entries.len() <= 2, "a follower has a limit");
            assert_eq!(
                followed.cursor > cursor,
                !followed.entries.is_empty(),
                "the cursor goes on with the entries"
            );
            cursor = followed.cursor;
            found.extend(followed.entries);
            yield_now().await;
        }
        let rest = self.follow(Some(cursor), 2).await;
        assert_eq!(rest.entries, [], "there are no more");
        found
    }

    /// Tells these events, whatever the outcome, at this many seconds after the start.
    async fn tell_by_end(&self, session: &Session, events: Vec<SecurityEvent>, after: u64) {
        let tell = told(after, Actor::System, events);
        self.accounts
            .sessions
            .end(session.user, session.id, EndReason::SignedOut, START, &tell)
            .await
            .expect("end works");
    }
}

/// Tells these events of every outcome, at this many seconds after the start.
fn told<O>(after: u64, actor: Actor, events: Vec<SecurityEvent>) -> Tell<O> {
    let at = START.plus(secs(after));
    Tell::new(EventId::from_random(random()), at, actor, move |_: &O| {
        events.clone()
    })
}

/// What a store keeps of an entry.
fn record(at: u64, actor: Actor, event: SecurityEvent) -> JournalRecord {
    JournalRecord::from(&JournalEntry {
        id: EventId::from_random(random()),
        at: START.plus(secs(at)),
        actor,
        event,
    })
}

fn created(user: &User, session: &Session) -> SecurityEvent {
    SecurityEvent::AccountCreated {
        user: user.id,
        session: Some(session.id),
        address: Some([192, 0, 2, 9].into()),
        device: Some(label("Ann's \"phone\" 📱 \\")),
    }
}

fn begun(session: &Session) -> SecurityEvent {
    SecurityEvent::SessionBegun {
        user: session.user,
        session: session.id,
        address: session.client.address,
        device: session.device_label().cloned(),
    }
}

fn reset(user: UserId) -> SecurityEvent {
    SecurityEvent::FactorsReset {
        user,
        note: Some(label("Ann's \"lost\" 📱: 12 Main St.")),
    }
}

fn reused(session: &Session) -> SecurityEvent {
    SecurityEvent::SessionReused {
        user: session.user,
        session: session.id,
        presented: Generation::FIRST,
        live: Generation::MAX,
        gap: Duration::from_millis(12_345),
        session_address: Some([192, 0, 2, 7].into()),
        address: Some([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()),
        revoked: true,
    }
}
