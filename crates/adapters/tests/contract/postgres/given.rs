//! An account and its sessions to store, and an error's messages to check.

use revolve_adapters::postgres::PostgresAccounts;
use revolve_domain::{
    model::{
        AccountVersion, AppData, AuthMethods, ClientInfo, Details, DeviceId, EmailAddress, Epoch,
        PasswordHash, Roles, Session, SessionId, SetUpFactors, Timestamp, User, UserId,
    },
    ports::{CreateOutcome, StoreError, UserRepository},
};
use revolve_testkit::untold;
use std::{error::Error, time::Duration};

pub(super) const START: Timestamp = Timestamp::from_seconds(1_900_000_000);

/// The account that owns the sessions.
pub(super) fn user() -> User {
    User {
        id: UserId::from_random([1; 16]),
        email: EmailAddress::parse("ann@example.org").expect("an address"),
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

/// The user's session with that number, on a device of its own.
pub(super) fn session(number: u8) -> Session {
    Session {
        id: SessionId::from_random([number; 16]),
        user: user().id,
        device: DeviceId::from_random([number; 16]),
        device_name: None,
        client: ClientInfo::default(),
        epoch: Epoch::FIRST,
        began_at: START.plus(Duration::from_secs(number.into())),
        authenticated_by: AuthMethods::PASSWORD,
        ends_at: START.plus(Duration::from_hours(24 * 90)),
        bound_at: None,
        ending: None,
    }
}

/// Stores the account with its first session.
pub(super) async fn created(accounts: &PostgresAccounts) {
    let hash = PasswordHash::from_phc("$test$v=1$hash".to_owned());
    assert_eq!(
        accounts
            .create(&user(), &hash, &session(1), &untold())
            .await
            .expect("create works"),
        CreateOutcome::Created
    );
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
