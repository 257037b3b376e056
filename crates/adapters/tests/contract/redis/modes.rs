//! A mode that does not fit the server is refused at the start, and the message names the mode that does.

use super::{PATIENT, faults::full_message, server, single};
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
        timeout: PATIENT,
        ..RedisConfig::new(url.to_owned().into())
    })
    .await
    .unwrap_err();
    assert_eq!(
        error.kind(),
        StoreErrorKind::Broken,
        "{}",
        full_message(&error)
    );
    full_message(&error)
}

#[tokio::test]
async fn a_single_redis_is_neither_cluster_nor_sentinel() {
    let Some(single) = single() else { return };
    let url = format!("redis://{}/", single.addr());
    let message = refusal(&url, RedisMode::Cluster).await;
    assert!(
        message.contains("redis.mode to \"standalone\""),
        "{message}"
    );
    let message = refusal(&url, sentinel()).await;
    assert!(message.contains("no Sentinel"), "{message}");
    let message = refusal(
        &format!("redis://{},other:1/", single.addr()),
        RedisMode::Standalone,
    )
    .await;
    assert!(
        message.contains("several hosts need redis.mode"),
        "{message}"
    );
}

#[tokio::test]
async fn a_node_of_a_cluster_is_no_single_redis() {
    let Some(server) = server() else { return };
    if !matches!(server.mode, RedisMode::Cluster) {
        println!("skipped: this run has no cluster");
        return;
    }
    let (first, _) = server.url.split_once(',').expect("several hosts");
    let message = refusal(first, RedisMode::Standalone).await;
    assert!(message.contains("redis.mode to \"cluster\""), "{message}");
}
