//! Fixtures: fresh ids, accounts and sessions that no other test uses.

use revolve_domain::model::{
    AccountVersion, AppData, AuthMethods, ClientInfo, Details, DeviceId, EmailAddress, Epoch,
    EventId, Label, PasswordHash, ProofId, Role, Roles, Session, SessionId, SetUpFactors,
    Timestamp, User, UserId,
};
use serde_json::json;
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::{sync::Barrier, task::JoinSet};

/// When the accounts and sessions of the cases begin: 2030-03-17T17:46:40Z.
pub(super) const START: Timestamp = Timestamp::from_seconds(1_900_000_000);

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Random bytes that differ from those of every other test against the same store.
#[expect(
    clippy::disallowed_methods,
    reason = "cases share stores with other runs, which no seed keeps apart"
)]
pub(super) fn random() -> [u8; 16] {
    *uuid::Uuid::new_v4().as_bytes()
}

pub(super) fn user_id() -> UserId {
    UserId::from_random(random())
}

pub(super) fn session_id() -> SessionId {
    SessionId::from_random(random())
}

pub(super) fn device_id() -> DeviceId {
    DeviceId::from_random(random())
}

pub(super) fn event_id() -> EventId {
    EventId::from_random(random())
}

pub(super) fn proof_id() -> ProofId {
    ProofId::from_random(random())
}

pub(super) fn email() -> EmailAddress {
    EmailAddress::parse(&format!(
        "{}@example.org",
        uuid::Uuid::from_bytes(random()).simple()
    ))
    .expect("an address")
}

pub(super) fn label(text: &str) -> Label {
    Label::parse(text).expect("a label")
}

/// A hash for stores, which do not interpret it.
pub(super) fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(format!("$test$v=1${text}"))
}

pub(super) fn user() -> User {
    User {
        id: user_id(),
        email: email(),
        email_verified_at: None,
        details: Details::default(),
        created_at: START,
        disabled_at: None,
        epoch: Epoch::FIRST,
        kept_session: None,
        roles: Roles::default(),
        app: AppData::default(),
        version: AccountVersion::at(START),
        factors: SetUpFactors::default(),
    }
}

pub(super) fn roles(names: &[&str]) -> Roles {
    let roles = names.iter().map(|name| Role::parse(name).expect("a role"));
    Roles::new(roles).expect("not too many roles")
}

pub(super) fn app(json: &str) -> AppData {
    AppData::parse(json).expect("an object")
}

/// App data of the greatest length, with numbers that are easily rounded when they are parsed.
pub(super) fn full_app() -> AppData {
    let roots: Vec<f64> = (1..=200).map(|n| f64::from(n).sqrt()).collect();
    let around = json!({ "roots": roots, "rest": "" }).to_string().len();
    let rest = "x".repeat(AppData::MAX - around);
    AppData::from_value(json!({ "roots": roots, "rest": rest })).expect("it is not too long")
}

/// A session of the user on a device of its own that began this many seconds after [`START`] and ends 90 days later.
pub(super) fn session(user: &User, after: u64) -> Session {
    let began_at = START.plus(secs(after));
    Session {
        id: session_id(),
        user: user.id,
        device: device_id(),
        device_name: Some(label("a test device")),
        client: ClientInfo {
            address: Some([192, 0, 2, 7].into()),
            user_agent: Some(label("contract/1")),
            origin: None,
        },
        epoch: user.epoch,
        began_at,
        authenticated_by: AuthMethods::PASSWORD,
        ends_at: began_at.plus(secs(90 * 24 * 3600)),
        bound_at: None,
        ending: None,
    }
}

/// A call that is about to run with others.
pub(super) type BoxedCall<T = ()> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs all of them at once and answers their results, in any order.
pub(super) async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let calls: Vec<_> = calls.into_iter().collect();
    let barrier = Arc::new(Barrier::new(calls.len()));
    let mut running = JoinSet::new();
    for call in calls {
        let barrier = barrier.clone();
        running.spawn(async move {
            barrier.wait().await;
            call.await
        });
    }
    running.join_all().await
}
