//! The white list in Redis: the contract, random histories against the state machine, and what only Redis promises. Needs a Redis, which
//! `cargo xtask test` starts.
#![cfg(feature = "redis")]

mod faults;
mod limits;
mod proxy;
mod stored;
mod subject;

use deadpool_redis::redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, aio::MultiplexedConnection};
use revolve_adapters::redis::{RedisConfig, RedisTokens};
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp, UserId},
    ports::NewLiveSession,
    rotation::{DeviceProof, LiveToken, RetryPolicy, Rotation},
};
use std::{env, time::Duration};

const LIFE: Duration = Duration::from_hours(2);
const START: Timestamp = Timestamp::from_seconds(1_900_000_000);

revolve_testkit::tokens_contract!(subject::make);
revolve_testkit::histories_contract!(subject::make);

/// The Redis under test; `None` if there is none and that is allowed.
fn server() -> Option<ConnectionInfo> {
    if let Some(url) = env::var("REVOLVE_TEST_REDIS_URL").ok().filter(|url| !url.is_empty()) {
        return Some(url.into_connection_info().expect("REVOLVE_TEST_REDIS_URL should be the URL of a Redis"));
    }
    assert!(
        env::var("REVOLVE_TEST_ALLOW_SKIP").is_ok_and(|allowed| allowed == "1"),
        "REVOLVE_TEST_REDIS_URL is not set: run `cargo xtask test`, which starts a Redis (or set REVOLVE_TEST_ALLOW_SKIP=1 to do without)"
    );
    println!("skipped: REVOLVE_TEST_REDIS_URL is not set");
    None
}

/// An ordinary connection, to look behind the adapter's back.
async fn look(server: &ConnectionInfo) -> MultiplexedConnection {
    let client = Client::open(server.clone()).expect("a URL that was read once should be fine");
    // A busy machine is no failure.
    let patient = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&patient).await.expect("the Redis under test should be reachable")
}

/// The adapter's configuration for a server, seen at this address.
fn config(server: &ConnectionInfo, address: &str) -> RedisConfig {
    let settings = server.redis_settings();
    let (user, password) = (settings.username().unwrap_or(""), settings.password().unwrap_or(""));
    RedisConfig::new(format!("redis://{user}:{password}@{address}/{}", settings.db()).into())
}

async fn connect(server: &ConnectionInfo) -> RedisTokens {
    let patient = RedisConfig { timeout: Duration::from_secs(20), ..config(server, &server.addr().to_string()) };
    RedisTokens::connect(patient).await.expect("the adapter should connect")
}

#[expect(clippy::disallowed_methods, reason = "cases share a store with other runs, which no seed keeps apart")]
fn random() -> [u8; 16] {
    *uuid::Uuid::new_v4().as_bytes()
}

fn new_session(user: UserId) -> NewLiveSession {
    let token = LiveToken { generation: Generation::FIRST, issued_at: START, expires_at: START.plus(LIFE), device: None };
    NewLiveSession { user, session: SessionId::from_random(random()), token, epoch: Epoch::FIRST, ceiling: 42 }
}

/// An attempt to refresh with the token of a generation, without a credential.
fn rotation(new: &NewLiveSession, presented: u64) -> Rotation {
    Rotation {
        user: new.user,
        session: new.session,
        presented: Generation::new(presented).expect("a generation"),
        expired: false,
        issued_at: START,
        expires_at: START.plus(LIFE),
        epoch: new.epoch,
        device: DeviceProof { owner: DeviceId::from_random([1; 16]), shown: None, bound: false },
        policy: RetryPolicy::default(),
    }
}
