//! Masters that end and slots that move, in a real cluster and under real Sentinels: no honest client is told that its session is unknown.
//! `cargo xtask test --cluster` starts the servers, which the tests use one after the other.

use super::{
    direct::open, faults::full_message, new_session, random, rotation, stored::token_key, variable,
};
use deadpool_redis::redis::{
    AsyncCommands, FromRedisValue, RedisError, Value, aio::MultiplexedConnection, cmd,
};
use revolve_adapters::redis::{RedisConfig, RedisMode, RedisTokens, SentinelConfig};
use revolve_domain::{
    model::{Epoch, UserId},
    ports::{NewLiveSession, StoreError, StoreErrorKind, TokenRepository},
    rotation::{Rotation, RotationOutcome},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// The adapter's deadline for an operation: long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long the adapter may take once a new master is known. An idle machine needs well under a second.
const RECOVERY: Duration = Duration::from_secs(20);
/// How long the servers may take to agree on a master.
const DECISION: Duration = Duration::from_mins(2);

static TURN: Mutex<()> = Mutex::const_new(());

/// Whether a rotation found the session. Fails if an honest client would have been refused.
fn found(outcome: Result<RotationOutcome, StoreError>) -> bool {
    match outcome {
        // After an answer that was lost the retry is repeated; after a write that a master took when another had been chosen, and that went
        // with it, the session heals.
        Ok(
            RotationOutcome::Rotated(_)
            | RotationOutcome::Repeated { .. }
            | RotationOutcome::Healed { .. },
        ) => true,
        Ok(other) => panic!("an honest client was told {other:?}"),
        Err(error) => {
            assert_eq!(
                error.kind(),
                StoreErrorKind::Unavailable,
                "{}",
                full_message(&error)
            );
            false
        }
    }
}

/// Rotates until it succeeds. Returns how long that took.
async fn until_rotated(tokens: &RedisTokens, attempt: &Rotation) -> Duration {
    let begun = Instant::now();
    while !found(tokens.rotate(attempt).await) {
        assert!(
            begun.elapsed() < DECISION,
            "the adapter does not find the new master"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < DECISION, "{what} does not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Everything that was written so far is on a replica.
async fn replicated(master: &mut MultiplexedConnection) {
    let replicas: i64 = cmd("WAIT")
        .arg(1)
        .arg(20_000)
        .query_async(master)
        .await
        .unwrap();
    assert!(replicas >= 1, "a replica follows");
}

/// Ends a server at once. The connection ends with it, which is expected.
async fn end(server: &mut MultiplexedConnection) {
    let _: Result<(), RedisError> = cmd("SHUTDOWN")
        .arg("NOSAVE")
        .arg("NOW")
        .arg("FORCE")
        .query_async(server)
        .await;
}

async fn sessions(tokens: &RedisTokens, number: usize) -> Vec<NewLiveSession> {
    let mut all = Vec::new();
    for _ in 0..number {
        let new = new_session(UserId::from_random(random()));
        tokens.begin(new).await.unwrap();
        assert!(found(tokens.rotate(&rotation(&new, 1)).await));
        all.push(new);
    }
    all
}

/// The cluster under test.
struct TestCluster {
    url: String,
}

impl TestCluster {
    fn get() -> Option<Self> {
        variable("REVOLVE_TEST_REDIS_FAILOVER_CLUSTER_URL").map(|url| Self { url })
    }

    async fn tokens(&self) -> RedisTokens {
        let config = RedisConfig {
            mode: RedisMode::Cluster,
            timeout: TIMEOUT,
            ..RedisConfig::new(self.url.clone().into())
        };
        RedisTokens::connect(config).await.unwrap()
    }

    /// `(id, port, first slot, last slot)` of each range of slots whose master is up, according to the first node that answers.
    async fn masters(&self) -> Vec<(String, u16, u16, u16)> {
        for host in self
            .url
            .trim_start_matches("redis://")
            .trim_end_matches('/')
            .split(',')
        {
            let Ok(client) = deadpool_redis::redis::Client::open(format!("redis://{host}/")) else {
                continue;
            };
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
                continue;
            };
            let Ok(text) = cmd("CLUSTER")
                .arg("NODES")
                .query_async::<String>(&mut connection)
                .await
            else {
                continue;
            };
            return text
                .lines()
                .filter(|line| !line.contains("fail"))
                .flat_map(Self::ranges)
                .collect();
        }
        panic!("no node answers");
    }

    fn ranges(line: &str) -> Vec<(String, u16, u16, u16)> {
        let words: Vec<_> = line.split(' ').collect();
        let port = words[1]
            .split('@')
            .next()
            .and_then(|address| address.rsplit(':').next())
            .and_then(|port| port.parse().ok());
        let ranges = words
            .get(8..)
            .unwrap_or_default()
            .iter()
            .filter_map(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                Some((
                    words[0].to_owned(),
                    port?,
                    first.parse().ok()?,
                    last.parse().ok()?,
                ))
            });
        ranges.collect()
    }

    async fn slot(&self, user: UserId) -> u16 {
        let masters = self.masters().await;
        let mut connection = open(&format!("redis://127.0.0.1:{}/", masters[0].1)).await;
        cmd("CLUSTER")
            .arg("KEYSLOT")
            .arg(format!("{{{user}}}:sessions"))
            .query_async(&mut connection)
            .await
            .unwrap()
    }

    /// Id and port of the slot's master.
    async fn master_of(&self, slot: u16) -> Option<(String, u16)> {
        let masters = self.masters().await;
        masters
            .into_iter()
            .find(|(_, _, first, last)| (*first..=*last).contains(&slot))
            .map(|(id, port, ..)| (id, port))
    }
}

async fn at(port: u16) -> MultiplexedConnection {
    open(&format!("redis://127.0.0.1:{port}/")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs `cargo xtask test --cluster`"]
async fn a_clusters_master_dies_and_nobody_is_signed_out() {
    let Some(nodes) = TestCluster::get() else {
        return;
    };
    let _turn = TURN.lock().await;
    let tokens = nodes.tokens().await;
    let all = sessions(&tokens, 60).await;
    for port in nodes
        .masters()
        .await
        .into_iter()
        .map(|(_, port, ..)| port)
        .collect::<BTreeSet<_>>()
    {
        let mut master = at(port).await;
        let writes: i64 = cmd("DBSIZE").query_async(&mut master).await.unwrap();
        assert!(writes > 0, "users are everywhere");
        replicated(&mut master).await;
    }
    let slot = nodes.slot(all[0].user).await;
    let (_, victim) = nodes.master_of(slot).await.unwrap();
    let mut elsewhere = Vec::new();
    for new in &all {
        if nodes.master_of(nodes.slot(new.user).await).await.unwrap().1 != victim {
            elsewhere.push(*new);
        }
    }
    assert!(!elsewhere.is_empty() && elsewhere.len() < all.len());

    end(&mut at(victim).await).await;
    let mut generation = 2;
    let mut failed = 0;
    while nodes
        .master_of(slot)
        .await
        .is_none_or(|(_, port)| port == victim)
    {
        failed += u32::from(!found(tokens.rotate(&rotation(&all[0], 2)).await));
        let begun = Instant::now();
        for new in &elsewhere {
            assert!(
                found(tokens.rotate(&rotation(new, generation)).await),
                "users of other masters are served"
            );
        }
        let each = begun.elapsed() / u32::try_from(elsewhere.len()).unwrap();
        assert!(
            each < TIMEOUT / 5,
            "and none waits for the master that is down: {each:?}"
        );
        tokens.ping().await.expect("some masters answer");
        generation += 1;
    }
    assert!(failed > 0, "the master was gone");
    let took = until_rotated(&tokens, &rotation(&all[0], 2)).await;
    assert!(took < RECOVERY, "it took {took:?} after the decision");
    println!(
        "recovered {took:?} after the decision, {failed} refreshes were told to come back before"
    );
    for new in all.iter().filter(|new| !elsewhere.contains(new)) {
        assert!(until_rotated(&tokens, &rotation(new, 2)).await < RECOVERY);
        assert!(until_rotated(&tokens, &rotation(new, 3)).await < RECOVERY);
    }
    assert_eq!(tokens.list(all[0].user).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs `cargo xtask test --cluster`"]
async fn a_slot_moves_and_nobody_is_signed_out() {
    let Some(nodes) = TestCluster::get() else {
        return;
    };
    let _turn = TURN.lock().await;
    let tokens = Arc::new(nodes.tokens().await);
    let new = sessions(&tokens, 1).await.remove(0);
    let kept = NewLiveSession {
        epoch: Epoch::new(7),
        ..new_session(new.user)
    };
    tokens.begin(kept).await.unwrap();
    let slot = nodes.slot(new.user).await;
    let (from_id, from) = nodes.master_of(slot).await.unwrap();
    let others = nodes.masters().await;
    let (to_id, to, ..) = others.into_iter().find(|(id, ..)| *id != from_id).unwrap();
    let (mut source, mut target) = (at(from).await, at(to).await);
    let set = |how: &str, id: &str| {
        cmd("CLUSTER")
            .arg("SETSLOT")
            .arg(slot)
            .arg(how)
            .arg(id)
            .clone()
    };
    set("IMPORTING", &from_id)
        .exec_async(&mut target)
        .await
        .unwrap();
    set("MIGRATING", &to_id)
        .exec_async(&mut source)
        .await
        .unwrap();

    // Nothing has moved yet, something has, all has: none of it may look as if a session were gone.
    let index = format!("{{{}}}:sessions", new.user);
    let keys = [index, token_key(&new, 2), token_key(&kept, 1)];
    for moved in 0..=keys.len() {
        found(tokens.rotate(&rotation(&new, 2)).await);
        for outcome in [
            tokens
                .end_older(new.user, Epoch::new(1), Some(new.session))
                .await,
            tokens.list(new.user).await.map(drop),
        ] {
            if let Err(error) = outcome {
                assert_eq!(
                    error.kind(),
                    StoreErrorKind::Unavailable,
                    "{}",
                    full_message(&error)
                );
            }
        }
        if let Some(key) = keys.get(moved) {
            // The rotation may have got through, as long as all was in its place: then the token has another key.
            let migrate = cmd("MIGRATE")
                .arg("127.0.0.1")
                .arg(to)
                .arg(key)
                .arg(0)
                .arg(5_000)
                .clone();
            let _: Value = migrate.query_async(&mut source).await.unwrap();
        }
    }
    let left: Vec<String> = keys_of(&mut source, new.user).await;
    for key in &left {
        let _: Value = cmd("MIGRATE")
            .arg("127.0.0.1")
            .arg(to)
            .arg(key)
            .arg(0)
            .arg(5_000)
            .query_async(&mut source)
            .await
            .unwrap();
    }
    let waiting = tokio::spawn({
        let tokens = Arc::clone(&tokens);
        async move { tokens.rotate(&rotation(&new, 2)).await }
    });
    for node in [&mut target, &mut source] {
        set("NODE", &to_id).exec_async(node).await.unwrap();
    }
    found(waiting.await.unwrap());
    assert!(until_rotated(&tokens, &rotation(&new, 2)).await < RECOVERY);
    let listed: BTreeSet<_> = tokens
        .list(new.user)
        .await
        .unwrap()
        .into_iter()
        .map(|live| live.session)
        .collect();
    assert_eq!(listed, [new.session, kept.session].into(), "both are there");
}

async fn keys_of<T: FromRedisValue>(connection: &mut MultiplexedConnection, user: UserId) -> T {
    connection.keys(format!("{{{user}}}:*")).await.unwrap()
}

/// The master's port according to a Sentinel.
async fn master(url: &str) -> u16 {
    let (_, hosts) = url.split_once('@').expect("the URL has a password");
    let sentinel = hosts.split(',').next().expect("a host");
    let mut connection = open(&format!("redis://:watch@{sentinel}/")).await;
    let ask = cmd("SENTINEL")
        .arg("GET-MASTER-ADDR-BY-NAME")
        .arg("revolve")
        .clone();
    let (_, port): (String, u16) = ask.query_async(&mut connection).await.unwrap();
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs `cargo xtask test --cluster`"]
async fn sentinels_lead_to_the_new_master() {
    let Some(url) = variable("REVOLVE_TEST_REDIS_SENTINEL_URL") else {
        return;
    };
    let named = |name: &str| {
        let sentinel = SentinelConfig {
            master: name.to_owned(),
            username: None,
            password: Some("watch".to_owned().into()),
        };
        RedisConfig {
            mode: RedisMode::Sentinel(sentinel),
            timeout: TIMEOUT,
            ..RedisConfig::new(url.clone().into())
        }
    };
    let error = RedisTokens::connect(named("another")).await.unwrap_err();
    assert!(
        full_message(&error).contains("redis.sentinel.master"),
        "{}",
        full_message(&error)
    );
    let error = RedisTokens::connect(RedisConfig {
        mode: RedisMode::Cluster,
        ..named("revolve")
    })
    .await
    .unwrap_err();
    assert!(
        !full_message(&error).contains("watch"),
        "{}",
        full_message(&error)
    );

    // One Sentinel that does not answer delays nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let more = url.replace('@', &format!("@{},", silent.local_addr().unwrap()));
    let tokens = RedisTokens::connect(RedisConfig {
        url: more.into(),
        ..named("revolve")
    })
    .await
    .unwrap();
    let data = |port: u16| format!("redis://:data@127.0.0.1:{port}/");
    let all = sessions(&tokens, 20).await;

    // The old master lives on as a replica: it must not be written to, nor read.
    let first = master(&url).await;
    replicated(&mut open(&data(first)).await).await;
    let (_, hosts) = url.split_once('@').unwrap();
    let mut sentinel = open(&format!(
        "redis://:watch@{}/",
        hosts.split(',').next().unwrap()
    ))
    .await;
    cmd("SENTINEL")
        .arg("FAILOVER")
        .arg("revolve")
        .exec_async(&mut sentinel)
        .await
        .unwrap();
    until("the switch", async || {
        found(tokens.rotate(&rotation(&all[0], 2)).await);
        master(&url).await != first
    })
    .await;
    let took = until_rotated(&tokens, &rotation(&all[0], 2)).await;
    assert!(took < RECOVERY, "it took {took:?} after the switch");
    for new in &all {
        assert!(until_rotated(&tokens, &rotation(new, 2)).await < RECOVERY);
    }
    let second = master(&url).await;
    let mut new_master = open(&data(second)).await;
    until("the old master's return as a replica", async || {
        let replication: String = cmd("INFO")
            .arg("replication")
            .query_async(&mut open(&data(first)).await)
            .await
            .unwrap();
        replication.contains("role:slave") && replication.contains("master_link_status:up")
    })
    .await;

    // And one that dies.
    replicated(&mut new_master).await;
    end(&mut new_master).await;
    let mut failed = 0;
    while master(&url).await == second {
        failed += u32::from(!found(tokens.rotate(&rotation(&all[0], 3)).await));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(failed > 0, "the master was gone");
    let took = until_rotated(&tokens, &rotation(&all[0], 3)).await;
    assert!(took < RECOVERY, "it took {took:?} after the decision");
    println!(
        "recovered {took:?} after the decision, {failed} refreshes were told to come back before"
    );
    for new in &all {
        assert!(until_rotated(&tokens, &rotation(new, 3)).await < RECOVERY);
    }
}
