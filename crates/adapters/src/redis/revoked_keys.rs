//! The keys that were revoked: one hash, which never expires, in the same Redis as the white list. A restore of the user database does not
//! reach it.

use super::{
    client::{script::script, topology::Topology},
    keys::REVOKED_KEYS,
};
use async_trait::async_trait;
use deadpool_redis::redis::Script;
use revolve_domain::{
    keys::KeyId,
    ports::{RevokedKeys, StoreError},
};
use std::sync::Arc;

/// Revoked keys in Redis, over the connections of the white list.
pub struct RedisRevokedKeys {
    topology: Arc<Topology>,
    revoke: Script,
    among: Script,
}

impl RedisRevokedKeys {
    pub(super) fn new(topology: Arc<Topology>) -> Self {
        Self {
            topology,
            // A key that was stolen is revoked although no memory is left: it is a hundred bytes.
            revoke: script!(" flags=allow-oom", "lua/revoke_key.lua"),
            among: script!(" flags=no-writes", "lua/revoked_keys.lua"),
        }
    }
}

#[async_trait]
impl RevokedKeys for RedisRevokedKeys {
    async fn revoke(&self, key: &KeyId) -> Result<(), StoreError> {
        let mut call = self.revoke.prepare_invoke();
        call.key(REVOKED_KEYS).arg(key.as_str());
        self.topology.call("revoke a key", &call).await
    }

    async fn among(&self, keys: &[KeyId]) -> Result<Vec<KeyId>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = self.among.prepare_invoke();
        call.key(REVOKED_KEYS);
        for key in keys {
            call.arg(key.as_str());
        }
        let revoked_at: Vec<Option<String>> =
            self.topology.call("ask for revoked keys", &call).await?;
        Ok(keys
            .iter()
            .zip(revoked_at)
            .filter_map(|(key, revoked_at)| revoked_at.map(|_| key.clone()))
            .collect())
    }
}
