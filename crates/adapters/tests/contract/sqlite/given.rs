//! Accounts and sessions to store, and an error's messages to check.

use revolve_adapters::sqlite::SqliteStore;
use revolve_domain::{
    model::{
        AccountVersion, AppData, AuthMethods, ClientInfo, Details, DeviceId, EmailAddress, Epoch,
        Generation, PasswordHash, Roles, Session, SessionId, SetUpFactors, Timestamp, User, UserId,
    },
    ports::{NewLiveSession, StoreError, TokenRepository},
    rotation::LiveToken,
};
use std::{error::Error, time::Duration};

const START: Timestamp = Timestamp::from_seconds(1_900_000_000);

/// The account with that number; the number is in its id, too.
pub(super) fn user(number: u8) -> User {
    User {
        id: UserId::from_random([number; 16]),
        email: EmailAddress::parse(&format!("user{number}@example.org")).expect("an address"),
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

/// The user's session with that number.
pub(super) fn session(user: &User, number: u8) -> Session {
    let mut id = *user.id.as_uuid().as_bytes();
    id[0] = number;
    Session {
        id: SessionId::from_random(id),
        user: user.id,
        device: DeviceId::from_random(id),
        device_name: None,
        client: ClientInfo::default(),
        epoch: user.epoch,
        began_at: START,
        authenticated_by: AuthMethods::PASSWORD,
        ends_at: START.plus(Duration::from_hours(24 * 90)),
        bound_at: None,
        ending: None,
    }
}

pub(super) fn hash() -> PasswordHash {
    PasswordHash::from_phc("$test$v=1$hash".to_owned())
}

/// What the white list needs of the session; its token lives an hour.
pub(super) fn live(session: &Session) -> NewLiveSession {
    let expires_at = START.plus(Duration::from_hours(1));
    let token = LiveToken {
        generation: Generation::FIRST,
        issued_at: START,
        expires_at,
        device: None,
    };
    NewLiveSession {
        user: session.user,
        session: session.id,
        token,
        epoch: session.epoch,
        ceiling: 20,
    }
}

/// `begin` is a method of two of the ports.
pub(super) trait BeginLive {
    async fn begin_live(&self, session: &Session);
}

impl BeginLive for SqliteStore {
    async fn begin_live(&self, session: &Session) {
        TokenRepository::begin(self, live(session))
            .await
            .expect("begin works");
    }
}

/// An error's message with those of its sources.
pub(super) fn told(error: &StoreError) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        told = format!("{told}: {error}");
        next = error.source();
    }
    told
}
