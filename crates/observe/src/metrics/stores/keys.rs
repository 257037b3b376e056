//! The keys that sign tokens.

use super::Measured;
use async_trait::async_trait;
use revolve_domain::{
    keys::{KeyId, Promotion, Retired, SealedKey, State, StoredKey},
    ports::{KeyOutcome, KeyRepository, StoreError},
};

#[async_trait]
impl KeyRepository for Measured<dyn KeyRepository> {
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.call("list_keys", self.next.list()).await
    }

    async fn insert(&self, key: &StoredKey) -> Result<KeyOutcome, StoreError> {
        self.call("insert_key", self.next.insert(key)).await
    }

    async fn promote(&self, promotion: &Promotion) -> Result<KeyOutcome, StoreError> {
        self.call("promote_key", self.next.promote(promotion)).await
    }

    async fn retire(&self, key: &KeyId, retired: Retired) -> Result<KeyOutcome, StoreError> {
        self.call("retire_key", self.next.retire(key, retired))
            .await
    }

    async fn reseal(
        &self,
        key: &KeyId,
        from: &SealedKey,
        to: &SealedKey,
    ) -> Result<KeyOutcome, StoreError> {
        self.call("reseal_key", self.next.reseal(key, from, to))
            .await
    }

    async fn remove(&self, key: &KeyId, state: State) -> Result<KeyOutcome, StoreError> {
        self.call("remove_key", self.next.remove(key, state)).await
    }
}
