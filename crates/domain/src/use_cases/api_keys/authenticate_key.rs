//! Who calls the admin API, and whether it may.

use crate::{
    model::{ApiKeyId, ApiKeyScope, ApiKeyStanding, ClientInfo, ShownApiKey, Timestamp},
    ports::{ApiKeys, Clock, StoreError, StoredApiKey},
    use_cases::parts::{Failure, Limited, RequestLimits, ServicePorts, from_denied, from_via},
};
use secrecy::SecretString;
use std::sync::Arc;

/// Why a request is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefused {
    /// It is no key of this service.
    #[error("the key is none of this service")]
    Unknown,
    /// Its time is over.
    #[error("the key has expired")]
    Expired,
    /// It was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The key may do other things only.
    #[error("the key lacks the scope {0}")]
    ScopeMissing(ApiKeyScope),
    /// There were too many requests; this one was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(KeyRefused);
from_via!(KeyRefused: StoreError => Failure);

/// Checks keys.
pub struct AuthenticateKey {
    keys: Arc<dyn ApiKeys>,
    clock: Arc<dyn Clock>,
    limits: RequestLimits,
}

impl AuthenticateKey {
    pub(crate) fn new(ports: &ServicePorts, keys: Arc<dyn ApiKeys>) -> Self {
        Self {
            keys,
            clock: ports.clock.clone(),
            limits: RequestLimits::in_process(ports),
        }
    }

    /// Whose key it is, if it may do that. What is no good key counts for the client's address, and any other for its key. No good key is held up
    /// by others of its address that are looked at in the same moment.
    ///
    /// # Errors
    /// [`KeyRefused`].
    pub async fn execute(
        &self,
        shown: &SecretString,
        scope: ApiKeyScope,
        client: &ClientInfo,
    ) -> Result<ApiKeyId, KeyRefused> {
        // Before the store is asked.
        self.limits.admin_has_room(client).await?;
        let now = self.clock.now();
        let found = self.find(shown).await?;
        let standing = found.as_ref().map(|found| found.key.standing(now));
        let (Some(StoredApiKey { key, .. }), Some(ApiKeyStanding::Valid)) = (found, standing)
        else {
            drop(self.limits.admin_from(client).await?);
            return Err(match standing {
                Some(ApiKeyStanding::Expired) => KeyRefused::Expired,
                Some(ApiKeyStanding::Revoked) => KeyRefused::Revoked,
                _ => KeyRefused::Unknown,
            });
        };
        // What was taken stays taken, whatever becomes of the request.
        drop(self.limits.admin_with(key.id, client).await?);
        if !key.scopes.contains(&scope) {
            return Err(KeyRefused::ScopeMissing(scope));
        }
        let hour = hour(now);
        if key.used_at.is_none_or(|used| used < hour) {
            // If it can't be noted, the next request notes it.
            drop(self.keys.used(key.id, hour).await);
        }
        Ok(key.id)
    }

    async fn find(&self, shown: &SecretString) -> Result<Option<StoredApiKey>, StoreError> {
        let Some(shown) = ShownApiKey::parse(shown) else {
            return Ok(None);
        };
        let found = self.keys.find(shown.id).await?;
        Ok(found.filter(|found| found.fingerprint.matches(&shown.fingerprint)))
    }
}

/// The beginning of its hour.
fn hour(at: Timestamp) -> Timestamp {
    const HOUR: i64 = 3_600_000;
    Timestamp::from_millis(at.as_millis().div_euclid(HOUR) * HOUR)
}
