//! Revoked keys in Redis: the contract, and that they stay.

use super::{connect, connect_directly, random, server};
use deadpool_redis::redis::AsyncCommands;
use revolve_domain::{keys::KeyId, ports::RevokedKeys};
use revolve_testkit::memory::MemoryRevokedKeys;
use std::sync::Arc;

const REVOKED: &str = "{keys}:revoked";

async fn make() -> Arc<dyn RevokedKeys> {
    let Some(server) = server() else {
        return Arc::new(MemoryRevokedKeys::default());
    };
    Arc::new(connect(&server).await.revoked_keys())
}

revolve_testkit::revoked_keys_contract!(make);

#[tokio::test]
async fn a_revoked_key_never_expires() {
    let Some(server) = server() else { return };
    let keys = connect(&server).await.revoked_keys();
    let kid: KeyId = uuid::Uuid::from_bytes(random())
        .simple()
        .to_string()
        .parse()
        .unwrap();
    keys.revoke(&kid).await.unwrap();
    let mut redis = connect_directly(&server).await.for_key(REVOKED).await;
    let life: i64 = redis.ttl(REVOKED).await.unwrap();
    assert_eq!(life, -1, "the hash has no end");
    let revoked_at: i64 = redis.hget(REVOKED, kid.as_str()).await.unwrap();
    let (now, _): (i64, i64) = deadpool_redis::redis::cmd("TIME")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!((now - revoked_at).abs() < 20, "when, by Redis' clock");
}
