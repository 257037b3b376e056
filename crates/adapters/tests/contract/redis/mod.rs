//! The white list in Redis: the contract, random histories against the state machine, and what is particular to Redis. `cargo xtask test`
//! starts the servers.
#![cfg(feature = "redis")]

mod direct;
mod failover;
mod faults;
mod limits;
mod modes;
mod proxy;
mod revoked_keys;
mod stored;
mod subject;
mod tls;

use deadpool_redis::redis::{ConnectionInfo, IntoConnectionInfo, aio::MultiplexedConnection};
use direct::{DirectConnections, connect_directly};
use revolve_adapters::redis::{RedisConfig, RedisMode, RedisTokens};
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp, UserId},
    ports::{NewLiveSession, TokenRepository as _},
    rotation::{DeviceProof, LiveToken, RetryPolicy, Rotation},
};
use std::{env, time::Duration};

/// A deadline that does not pass because the machine is busy.
const PATIENT: Duration = Duration::from_secs(20);
const LIFE: Duration = Duration::from_hours(2);
const START: Timestamp = Timestamp::from_seconds(1_900_000_000);

revolve_testkit::tokens_contract!(subject::make);
revolve_testkit::histories_contract!(subject::make);

/// The Redis under test: one, or a cluster of which the URL names every master.
struct RedisUnderTest {
    url: String,
    mode: RedisMode,
}

/// `None` if there is no Redis and that is allowed.
fn server() -> Option<RedisUnderTest> {
    let url = variable("REVOLVE_TEST_REDIS_URL")?;
    let mode = match env::var("REVOLVE_TEST_REDIS_MODE").as_deref() {
        Ok("cluster") => RedisMode::Cluster,
        _ => RedisMode::Standalone,
    };
    Some(RedisUnderTest { url, mode })
}

/// The Redis under test, for tests of a single one; `None` also if it is a cluster.
fn single() -> Option<ConnectionInfo> {
    let server = server()?;
    if matches!(server.mode, RedisMode::Cluster) {
        println!("skipped: about a single Redis, and this run has a cluster");
        return None;
    }
    Some(
        server
            .url
            .into_connection_info()
            .expect("REVOLVE_TEST_REDIS_URL should be the URL of a Redis"),
    )
}

/// A variable that `cargo xtask test` sets; `None` if it is not set and that is allowed.
fn variable(name: &str) -> Option<String> {
    if let Some(value) = env::var(name).ok().filter(|value| !value.is_empty()) {
        return Some(value);
    }
    assert!(
        env::var("REVOLVE_TEST_ALLOW_SKIP").is_ok_and(|allowed| allowed == "1"),
        "{name} is not set: run `cargo xtask test`, which starts the stores (or set REVOLVE_TEST_ALLOW_SKIP=1 to do without)"
    );
    println!("skipped: {name} is not set");
    None
}

/// The adapter's configuration for a server, seen at this address.
fn config(server: &ConnectionInfo, address: &str) -> RedisConfig {
    let settings = server.redis_settings();
    let (user, password) = (
        settings.username().unwrap_or(""),
        settings.password().unwrap_or(""),
    );
    let url = format!("redis://{user}:{password}@{address}/{}", settings.db());
    RedisConfig {
        timeout: PATIENT,
        ..RedisConfig::new(url.into())
    }
}

/// A session that has begun, the adapter, and a connection that bypasses it; `None` if there is no Redis and that is allowed.
async fn begun() -> Option<(NewLiveSession, RedisTokens, MultiplexedConnection)> {
    let server = server()?;
    let new = new_session(UserId::from_random(random()));
    let tokens = connect(&server).await;
    tokens.begin(new).await.expect("a session begins");
    let redis = connect_directly(&server).await.for_user(new.user).await;
    Some((new, tokens, redis))
}

async fn connect(server: &RedisUnderTest) -> RedisTokens {
    let config = RedisConfig {
        timeout: PATIENT,
        mode: server.mode.clone(),
        ..RedisConfig::new(server.url.clone().into())
    };
    RedisTokens::connect(config)
        .await
        .expect("the adapter should connect")
}

#[expect(
    clippy::disallowed_methods,
    reason = "cases share a store with other runs, which no seed keeps apart"
)]
fn random() -> [u8; 16] {
    *uuid::Uuid::new_v4().as_bytes()
}

fn new_session(user: UserId) -> NewLiveSession {
    let token = LiveToken {
        generation: Generation::FIRST,
        issued_at: START,
        expires_at: START.plus(LIFE),
        device: None,
    };
    NewLiveSession {
        user,
        session: SessionId::from_random(random()),
        token,
        epoch: Epoch::FIRST,
        ceiling: 42,
    }
}

/// An attempt to refresh with the token of a generation, without a credential.
fn rotation(new: &NewLiveSession, presented: u64) -> Rotation {
    Rotation {
        user: new.user,
        session: new.session,
        presented: Generation::new(presented).expect("a generation"),
        presented_issued_at: START,
        expired: false,
        issued_at: START,
        expires_at: START.plus(LIFE),
        epoch: new.epoch,
        device: DeviceProof {
            owner: DeviceId::from_random([1; 16]),
            shown: None,
            bound: false,
        },
        policy: RetryPolicy::default(),
    }
}
