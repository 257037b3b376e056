//! What operators' commands use: the accounts of the configured profile, and as much of the white list as can be reached.

use super::{
    Purpose, argon2, settings,
    stores::{embedded_for, server_for},
    strength,
};
use crate::config::{Config, Profile};
use anyhow::Result;
use async_trait::async_trait;
use revolve_adapters::{
    redis::RedisTokens,
    system::{SystemClock, SystemEntropy},
};
use revolve_domain::{
    model::{Epoch, SessionId, UserId},
    ports::{
        AccountDirectory, Clearing, Clearings, Clock, LiveSession, NewLiveSession, SecurityEvents,
        SessionRepository, StoreError, TokenRepository, UserRepository,
    },
    rotation::{Rotation, RotationOutcome},
    use_cases::{AddAccount, Clear, ManageAccounts},
};
use revolve_observe::telemetry::LogEvents;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What a command works with.
pub(crate) struct Desk {
    pub(crate) manage: ManageAccounts,
    /// Counts what the white list could not be told.
    pub(crate) untold: Arc<Untold>,
}

/// Reaches the accounts. A white list that is down stops no command: an end is a commit in the user database.
///
/// # Errors
/// A message that names the user database, or says what to do about its tables.
pub(crate) async fn desk(config: &Config, purpose: Purpose) -> Result<Desk> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (users, directory, sessions, tokens): Accounts = match config.profile {
        Profile::Embedded => {
            let store = Arc::new(embedded_for(config, Arc::clone(&clock), purpose).await?);
            (store.clone(), store.clone(), store.clone(), store)
        }
        Profile::Server => {
            let store = Arc::new(server_for(config, purpose).await?);
            let tokens: Arc<dyn TokenRepository> =
                match RedisTokens::connect(settings::redis(config)?).await {
                    Ok(tokens) => Arc::new(tokens),
                    Err(error) => Arc::new(Unreached(error.to_string())),
                };
            (store.clone(), store.clone(), store, tokens)
        }
    };
    let (untold, events): (Arc<Untold>, Arc<dyn SecurityEvents>) =
        (Arc::default(), Arc::new(LogEvents));
    let clear = Clear {
        tokens,
        sessions: Arc::clone(&sessions),
        clock: Arc::clone(&clock),
        clearings: untold.clone(),
    };
    Ok(Desk {
        manage: ManageAccounts {
            users,
            directory,
            sessions,
            clear,
            clock,
            events,
        },
        untold,
    })
}

type Accounts = (
    Arc<dyn UserRepository>,
    Arc<dyn AccountDirectory>,
    Arc<dyn SessionRepository>,
    Arc<dyn TokenRepository>,
);

/// The use case that makes accounts by the rules of a sign-up.
///
/// # Errors
/// A message that names the configuration key or the store that is wrong.
pub(crate) async fn add_account(config: &Config) -> Result<AddAccount> {
    let (hasher, strength) = (argon2(config, Arc::new(SystemEntropy))?, strength(config));
    let users = super::user_store(config, Purpose::Change).await?;
    Ok(AddAccount {
        users,
        hasher,
        strength,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        events: Arc::new(LogEvents),
    })
}

/// A command ends too soon to try again: entries of ended sessions are worth nothing and die by themselves.
#[derive(Default)]
pub(crate) struct Untold(AtomicUsize);

impl Untold {
    /// Whether the white list still has something that is over.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Clearings for Untold {
    fn defer(&self, _clearing: Clearing) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A white list that can't be reached, and why.
struct Unreached(String);

impl Unreached {
    fn refuse<T>(&self, operation: &'static str) -> Result<T, StoreError> {
        Err(StoreError::unavailable("redis", operation, self.0.as_str()))
    }
}

#[async_trait]
impl TokenRepository for Unreached {
    async fn begin(&self, _session: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        self.refuse("begin a session")
    }

    async fn rotate(&self, _rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        self.refuse("rotate a token")
    }

    async fn end(&self, _user: UserId, _sessions: &[SessionId]) -> Result<(), StoreError> {
        self.refuse("end sessions")
    }

    async fn end_older(
        &self,
        _user: UserId,
        _epoch: Epoch,
        _kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.refuse("end older sessions")
    }

    async fn list(&self, _user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        self.refuse("list sessions")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.refuse("answer")
    }
}
