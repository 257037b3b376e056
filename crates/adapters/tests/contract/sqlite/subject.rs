//! A SQLite file as a subject of the contract: it dies with its directory, and time passes on a fake clock.

use async_trait::async_trait;
use revolve_adapters::sqlite::SqliteStore;
use revolve_domain::{
    model::{DeviceId, SessionId, Timestamp, UserId},
    ports::{
        AccountDirectory, ApiKeys, Clock, Deliveries, Factors, Journal, KeyRepository,
        NamedRequests, Proofs, SessionRepository, TokenRepository, UserRepository, Webhooks,
    },
};
use revolve_testkit::{
    contract::{
        AccountsSubject, ApiKeysSubject, DeliveriesSubject, DirectorySubject, FactorsSubject,
        HistorySubject, JournalSubject, KeysSubject, ProofsSubject, StoredToken, TokensSubject,
        WebhooksSubject,
    },
    memory::FakeClock,
};
use rusqlite::{Connection, params};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

pub(super) struct Subject {
    pub(super) store: SqliteStore,
    pub(super) clock: Arc<FakeClock>,
    pub(super) dir: TempDir,
}

pub(super) async fn make() -> Subject {
    let (dir, clock) = (
        TempDir::new().expect("a directory can be made"),
        Arc::new(FakeClock::default()),
    );
    let store = SqliteStore::open(dir.path().join("revolve.db"), clock.clone())
        .await
        .expect("the store opens");
    Subject { store, clock, dir }
}

impl Subject {
    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join("revolve.db")
    }

    /// The same file once more.
    pub(super) async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path(), self.clock.clone())
            .await
            .expect("the store opens")
    }

    /// A way into the file behind the adapter's back.
    pub(super) fn look(&self) -> Connection {
        let conn = Connection::open(self.path()).expect("the file opens");
        conn.busy_timeout(Duration::from_secs(5))
            .expect("a connection can wait");
        conn
    }
}

#[async_trait]
impl TokensSubject for Subject {
    fn repository(&self) -> Arc<dyn TokenRepository> {
        Arc::new(self.store.clone())
    }

    async fn advance(&self, _user: UserId, by: Duration) {
        self.clock.advance(by);
    }
}

#[async_trait]
impl HistorySubject for Subject {
    async fn roll_back(&self, user: UserId, session: SessionId, state: Option<StoredToken>) {
        let (look, now) = (self.look(), self.clock.now());
        look.execute(
            "DELETE FROM white_list WHERE session_id = ?1",
            [session.to_string()],
        )
        .expect("an entry can be removed");
        let Some(state) = state else { return };
        let entry = params![
            user.to_string(),
            session.to_string(),
            i64::try_from(state.token.generation.number()).expect("a generation fits"),
            state.token.issued_at.as_millis(),
            state.token.expires_at.as_millis(),
            state.token.device.as_ref().map(DeviceId::to_string),
            state.parent_issued_at.map(Timestamp::as_millis),
            state.epoch.number(),
            now.minus(state.age).as_millis(),
            now.plus(state.remaining).as_millis(),
            state.late,
            state.charged,
            state.reused,
        ];
        look.execute(
            "INSERT INTO white_list (user_id, session_id, gen, iat, exp, did, parent_iat, epoch, rotated_at, dies_at, late, charged, reused)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            entry,
        )
        .expect("an entry can be put");
    }
}

impl AccountsSubject for Subject {
    fn users(&self) -> Arc<dyn UserRepository> {
        Arc::new(self.store.clone())
    }

    fn sessions(&self) -> Arc<dyn SessionRepository> {
        Arc::new(self.store.clone())
    }
}

impl DirectorySubject for Subject {
    fn directory(&self) -> Arc<dyn AccountDirectory> {
        Arc::new(self.store.clone())
    }
}

impl ApiKeysSubject for Subject {
    fn api_keys(&self) -> Arc<dyn ApiKeys> {
        Arc::new(self.store.clone())
    }

    fn named_requests(&self) -> Arc<dyn NamedRequests> {
        Arc::new(self.store.clone())
    }
}

impl ProofsSubject for Subject {
    fn proofs(&self) -> Arc<dyn Proofs> {
        Arc::new(self.store.clone())
    }
}

impl FactorsSubject for Subject {
    fn factors(&self) -> Arc<dyn Factors> {
        Arc::new(self.store.clone())
    }
}

impl JournalSubject for Subject {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.store.clone())
    }
}

impl KeysSubject for Subject {
    fn keys(&self) -> Arc<dyn KeyRepository> {
        Arc::new(self.store.clone())
    }

    fn journal_of_keys(&self) -> Arc<dyn Journal> {
        self.journal()
    }
}

impl DeliveriesSubject for Subject {
    fn deliveries(&self) -> Arc<dyn Deliveries> {
        Arc::new(self.store.clone())
    }
}

impl WebhooksSubject for Subject {
    fn webhooks(&self) -> Arc<dyn Webhooks> {
        Arc::new(self.store.clone())
    }
}
