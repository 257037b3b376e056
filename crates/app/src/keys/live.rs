//! The ring that follows the user database: every few seconds, and at once when a token names a key that is not known.

use async_trait::async_trait;
use revolve_adapters::jose::JoseTokens;
use revolve_domain::{
    model::Timestamp,
    ports::{
        IdClaims, ReauthenticationClaims, RefreshClaims, SignError, StoreError, TokenCodec,
        TokenRejected, VerifiedId,
    },
    use_cases::{KeepKeys, KeyChange, KeysFailed},
};
use revolve_observe::telemetry::chain;
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// The least time between two reads of the user database, however many tokens name unknown keys.
const PAUSE: Duration = Duration::from_millis(250);

/// Signs and verifies with the keys of the user database.
pub(crate) struct LiveKeys {
    tokens: Arc<JoseTokens>,
    keep: KeepKeys,
    /// One at a time, so that an older list never replaces a newer one.
    last: Mutex<Option<DatabaseRead>>,
}

/// A read of the keys from the user database.
#[derive(Clone, Copy)]
struct DatabaseRead {
    began: Instant,
    answered: bool,
}

impl LiveKeys {
    /// Makes the first keys or loads those that are there.
    ///
    /// # Errors
    /// If the user database fails, or holds keys that the master key does not open.
    pub(crate) async fn start(keep: KeepKeys, tokens: Arc<JoseTokens>) -> Result<Self, KeysFailed> {
        let live = Self {
            tokens,
            keep,
            last: Mutex::new(None),
        };
        live.keep().await?;
        if let Some(change) = live.keep.adopt_algorithm().await? {
            log(&change);
        }
        Ok(live)
    }

    /// Does what is due and follows what others did.
    pub(crate) async fn keep(&self) -> Result<(), KeysFailed> {
        let mut last = self.last.lock().await;
        let began = Instant::now();
        let kept = self.keep.execute().await;
        *last = Some(DatabaseRead {
            began,
            answered: kept.is_ok(),
        });
        kept?.iter().for_each(log);
        Ok(())
    }

    /// Waits for a read that began after this call, its own or another caller's. So no token is refused whose key was stored before
    /// the call, and a flood of made-up keys costs four reads a second.
    async fn look(&self) -> Result<(), StoreError> {
        let came = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(look) = *last {
            if look.began >= came {
                let failed = || {
                    StoreError::unavailable(
                        "keys",
                        "look for keys",
                        "another request has just found the store not answering",
                    )
                };
                return if look.answered { Ok(()) } else { Err(failed()) };
            }
            sleep_until(look.began + PAUSE).await;
        }
        let began = Instant::now();
        let looked = self.keep.load().await;
        *last = Some(DatabaseRead {
            began,
            answered: looked.is_ok(),
        });
        match looked {
            Ok(_) => Ok(()),
            Err(KeysFailed::Store(error)) => Err(error),
            Err(error) => Err(StoreError::broken("keys", "open the keys", error)),
        }
    }
}

fn log(change: &KeyChange) {
    match change {
        KeyChange::Made(key) => {
            let (usage, algorithm, state) = (
                key.kind.usage(),
                key.kind.algorithm_name(),
                key.phase.state(),
            );
            tracing::info!(key = %key.id, %usage, algorithm, %state, "made a key");
        }
        KeyChange::Promoted(key, Some(retired)) => {
            tracing::info!(%key, %retired, "a key took over");
        }
        KeyChange::Promoted(key, None) => tracing::info!(%key, "a key began to sign"),
        KeyChange::Removed(key) => tracing::info!(%key, "a retired key is gone"),
        KeyChange::Refused(key) => {
            tracing::warn!(%key, "a key that was retired with --now was in the user database again, as after a restore; it is removed");
        }
    }
}

/// Says what went wrong with the keys; what was loaded before goes on.
pub(crate) fn warn(error: &KeysFailed) {
    match error {
        KeysFailed::Store(error) => {
            tracing::warn!(error = %chain(error), "the keys could not be looked at");
        }
        KeysFailed::Key(error) => {
            tracing::error!(error = %chain(error), "the keys could not be kept");
        }
    }
}

#[async_trait]
impl TokenCodec for LiveKeys {
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError> {
        self.tokens.sign_id(claims)
    }

    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError> {
        self.tokens.sign_refresh(claims)
    }

    fn sign_reauthentication(
        &self,
        claims: &ReauthenticationClaims,
    ) -> Result<SecretString, SignError> {
        self.tokens.sign_reauthentication(claims)
    }

    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected> {
        self.tokens.verify_id(token, now)
    }

    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected> {
        self.tokens.verify_refresh(token)
    }

    fn verify_reauthentication(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<ReauthenticationClaims, TokenRejected> {
        self.tokens.verify_reauthentication(token, now)
    }

    fn sign_set_up(&self, claims: &VerifiedId) -> Result<SecretString, SignError> {
        self.tokens.sign_set_up(claims)
    }

    fn verify_set_up(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<VerifiedId, TokenRejected> {
        self.tokens.verify_set_up(token, now)
    }

    async fn look_for_keys(&self) -> Result<(), StoreError> {
        self.look().await
    }
}
