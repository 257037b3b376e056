//! A user database under test, with the helpers of the cases of both of its ports.

use super::{
    AccountsSubject,
    given::{START, hash, secs, session, user},
};
use crate::untold;
use revolve_domain::{
    model::{
        DeviceId, EndReason, KnownDevice, Session, SessionId, SessionRecord, Timestamp, User,
        UserId,
    },
    ports::{BeginOutcome, BeginSession, CreateOutcome, SessionRepository, UserRepository},
    revocations::{RevocationQuery, Revocations},
};
use std::sync::Arc;

/// The idle limit of a session that is not in the white list, in seconds.
pub(super) const IDLE: u64 = 3 * 24 * 3600;

pub(super) struct Accounts {
    pub(super) users: Arc<dyn UserRepository>,
    pub(super) sessions: Arc<dyn SessionRepository>,
}

impl Accounts {
    pub(super) fn new(subject: &dyn AccountsSubject) -> Self {
        Self {
            users: subject.users(),
            sessions: subject.sessions(),
        }
    }

    pub(super) async fn create(&self, user: &User, session: &Session) -> CreateOutcome {
        self.users
            .create(user, &hash("first"), session, &untold())
            .await
            .expect("create works")
    }

    /// A new account with its first session, which began at [`START`].
    pub(super) async fn signed_up(&self) -> (User, Session) {
        let user = user();
        let session = session(&user, 0);
        assert_eq!(
            self.create(&user, &session).await,
            CreateOutcome::Created,
            "a fresh address is free"
        );
        (user, session)
    }

    /// Begins this session with wide limits.
    pub(super) async fn begin(&self, session: &Session) -> BeginOutcome {
        self.begin_with(&begin(session)).await
    }

    pub(super) async fn begin_with(&self, begin: &BeginSession) -> BeginOutcome {
        self.sessions
            .begin(begin, &untold())
            .await
            .expect("begin works")
    }

    /// Another session of the user, on a device of its own, that began this many seconds after [`START`].
    pub(super) async fn signed_in(&self, user: &User, after: u64) -> Session {
        let session = session(user, after);
        let expected = BeginOutcome::Begun {
            replaced: vec![],
            expired: vec![],
            evicted: vec![],
        };
        assert_eq!(
            self.begin(&session).await,
            expected,
            "a sign-in with wide limits ends nothing"
        );
        session
    }

    pub(super) async fn find(&self, user: UserId, session: SessionId) -> Option<SessionRecord> {
        self.sessions.find(user, session).await.expect("find works")
    }

    /// The session's row.
    pub(super) async fn row(&self, session: &Session) -> Session {
        self.find(session.user, session.id)
            .await
            .expect("the row is there")
            .session
    }

    /// The reason of the session's end, if it has ended.
    pub(super) async fn reason(&self, session: &Session) -> Option<EndReason> {
        self.row(session).await.ending.map(|ending| ending.reason)
    }

    /// The account as it is now.
    pub(super) async fn account(&self, user: UserId) -> Option<User> {
        self.users
            .credentials(user)
            .await
            .expect("credentials works")
            .map(|found| found.user)
    }

    /// The stored hash.
    pub(super) async fn hash(&self, user: UserId) -> String {
        self.users
            .credentials(user)
            .await
            .expect("credentials works")
            .expect("the account is there")
            .hash
            .expose()
            .to_owned()
    }

    /// The one of these devices that the user is known to have signed in on.
    pub(super) async fn known(&self, user: &User, devices: &[DeviceId]) -> Option<KnownDevice> {
        let found = self
            .users
            .credentials_by_email(&user.email, devices)
            .await
            .expect("credentials_by_email works");
        found.expect("the account is there").known_device
    }

    /// Whether the user is known to have signed in on the device.
    pub(super) async fn knows(&self, user: &User, device: DeviceId) -> bool {
        self.known(user, &[device]).await.is_some()
    }

    /// Whether a sign-in of the user may keep the device.
    pub(super) async fn keeps(&self, user: &User, device: DeviceId) -> bool {
        let known = self.known(user, &[device]).await;
        known.is_some_and(|known| known.is_current)
    }

    pub(super) async fn bind(
        &self,
        session: &Session,
        devices: &[DeviceId],
        after: u64,
    ) -> Option<DeviceId> {
        self.sessions
            .bind(session.user, session.id, devices, at(after), &untold())
            .await
            .expect("bind works")
    }

    /// Everything that was revoked from an instant on.
    pub(super) async fn revoked(&self, since: Timestamp) -> Revocations {
        self.sessions
            .revoked(&everything_since(since))
            .await
            .expect("revoked works")
    }

    pub(super) async fn live(&self, user: UserId, now: Timestamp) -> Vec<SessionId> {
        self.sessions
            .live(user, now)
            .await
            .expect("live works")
            .iter()
            .map(|session| session.id)
            .collect()
    }
}

/// A sign-in with limits that it does not reach.
pub(super) fn begin(session: &Session) -> BeginSession {
    BeginSession {
        session: session.clone(),
        former_devices: vec![],
        refreshed: vec![],
        max_live: 100,
        max_ended: 100,
        settled: session.began_at,
        max_devices: 100,
        idle: secs(IDLE),
        unless_factor: false,
    }
}

/// Everything that was revoked from an instant on; no user is crowded.
pub(super) fn everything_since(since: Timestamp) -> RevocationQuery {
    RevocationQuery {
        since,
        unseen_by: None,
        crowded: usize::MAX,
    }
}

/// This many seconds after [`START`].
pub(super) fn at(seconds: u64) -> Timestamp {
    START.plus(secs(seconds))
}
