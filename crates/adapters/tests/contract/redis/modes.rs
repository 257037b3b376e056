//! A mode that does not fit what stands at the other end is found out at the start, and the message says which one would.

use super::{faults::told, server, single};
use revolve_adapters::redis::{RedisConfig, RedisMode, RedisTokens, SentinelConfig};
use revolve_domain::ports::StoreErrorKind;

fn sentinel() -> RedisMode {
    RedisMode::Sentinel(SentinelConfig {
        master: "revolve".to_owned(),
        username: None,
        password: None,
    })
}

async fn refusal(url: &str, mode: RedisMode) -> String {
    let error = RedisTokens::connect(RedisConfig {
        mode,
        ..RedisConfig::new(url.to_owned().into())
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken, "{}", told(&error));
    told(&error)
}

#[tokio::test]
async fn a_single_redis_is_neither_cluster_nor_sentinel() {
    let Some(single) = single() else { return };
    let url = format!("redis://{}/", single.addr());
    let told = refusal(&url, RedisMode::Cluster).await;
    assert!(told.contains("redis.mode to \"standalone\""), "{told}");
    let told = refusal(&url, sentinel()).await;
    assert!(told.contains("no Sentinel"), "{told}");
    let told = refusal(
        &format!("redis://{},other:1/", single.addr()),
        RedisMode::Standalone,
    )
    .await;
    assert!(told.contains("several hosts need redis.mode"), "{told}");
}

#[tokio::test]
async fn a_node_of_a_cluster_is_no_single_redis() {
    let Some(server) = server() else { return };
    if !matches!(server.mode, RedisMode::Cluster) {
        println!("skipped: this run has no cluster");
        return;
    }
    let (first, _) = server.url.split_once(',').expect("several hosts");
    let told = refusal(first, RedisMode::Standalone).await;
    assert!(told.contains("redis.mode to \"cluster\""), "{told}");
}
