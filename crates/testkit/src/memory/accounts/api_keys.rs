//! API keys and named requests.

use super::MemoryAccounts;
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{ApiKey, ApiKeyId, Timestamp},
    ports::{
        ApiKeys, Claim, NamedRequest, NamedRequests, REQUESTS_KEPT, RevokeOutcome, StoreError,
        StoredApiKey,
    },
};

#[async_trait]
impl ApiKeys for MemoryAccounts {
    async fn add(&self, key: &StoredApiKey, tell: &Tell<()>) -> Result<(), StoreError> {
        self.change(tell, |tables| {
            tables.api_keys.insert(key.key.id, key.clone());
        })
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<StoredApiKey>, StoreError> {
        Ok(self.tables().api_keys.get(&id).cloned())
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        let tables = self.tables();
        let keys = tables.api_keys.values().map(|stored| stored.key.clone());
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by_key(|key| (key.created_at, key.id));
        Ok(keys)
    }

    async fn revoke(
        &self,
        id: ApiKeyId,
        at: Timestamp,
        tell: &Tell<RevokeOutcome>,
    ) -> Result<RevokeOutcome, StoreError> {
        self.change(tell, |tables| match tables.api_keys.get_mut(&id) {
            None => RevokeOutcome::NotFound,
            Some(stored) if stored.key.revoked_at.is_some() => RevokeOutcome::AlreadyRevoked,
            Some(stored) => {
                stored.key.revoked_at = Some(at);
                RevokeOutcome::Revoked
            }
        })
    }

    async fn used(&self, id: ApiKeyId, hour: Timestamp) -> Result<(), StoreError> {
        if let Some(stored) = self.tables().api_keys.get_mut(&id) {
            stored.key.used_at = stored.key.used_at.max(Some(hour));
        }
        Ok(())
    }
}

#[async_trait]
impl NamedRequests for MemoryAccounts {
    async fn claim(&self, request: &NamedRequest) -> Result<Claim, StoreError> {
        let mut tables = self.tables();
        let old = request.at.minus(REQUESTS_KEPT);
        let known = tables.requests.get(&request.name);
        Ok(match known.filter(|known| known.at > old) {
            Some(known) if known.content == request.content => Claim::Again(known.clone()),
            Some(_) => Claim::Other,
            None => {
                tables.requests.insert(request.name, request.clone());
                Claim::New
            }
        })
    }

    async fn release(&self, request: &NamedRequest) -> Result<(), StoreError> {
        self.tables().requests.retain(|name, known| {
            *name != request.name || (&known.content, known.id) != (&request.content, request.id)
        });
        Ok(())
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut pruned = 0;
        self.tables().requests.retain(|_, known| {
            let goes = known.at < before && pruned < u64::from(limit);
            pruned += u64::from(goes);
            !goes
        });
        Ok(pruned)
    }
}
