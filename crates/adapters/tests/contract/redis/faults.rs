//! Redis goes away, comes back, hangs, loses the scripts, or holds nonsense.

use super::{
    PATIENT, begun, config, connect,
    direct::open,
    proxy::{ProxyMode, RedisProxy},
    random, rotation, server, single,
    stored::token_key,
};
use deadpool_redis::redis::{AsyncCommands, cmd};
use revolve_adapters::redis::{RedisConfig, RedisTokens};
use revolve_domain::{
    model::UserId,
    ports::{StoreError, StoreErrorKind, TokenRepository},
    rotation::RotationOutcome,
};
use std::{
    env,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Handle, time::Instant};

/// An error's messages with those of its sources, for display and for debugging.
pub(super) fn full_message(error: &StoreError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error} {error:?}");
        source = error.source();
    }
    text
}

/// Waits until Redis can be used again, as a client that retries does.
async fn until_available(tokens: &RedisTokens) {
    let begun = Instant::now();
    while tokens.ping().await.is_err() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "the adapter should connect to Redis again"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let Some((new, tokens, mut redis)) = begun().await else {
        return;
    };
    let _: () = cmd("SCRIPT")
        .arg("FLUSH")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(matches!(
        tokens.rotate(&rotation(&new, 1)).await.unwrap(),
        RotationOutcome::Rotated(_)
    ));
    assert_eq!(tokens.list(new.user).await.unwrap().len(), 1);
    tokens.end(new.user, &[new.session]).await.unwrap();
}

/// Asks from ever more threads until each connection is open.
async fn use_all(tokens: &Arc<RedisTokens>) {
    for _ in 0..1000 {
        let (all, open) = tokens.connections();
        if open == all {
            return;
        }
        let (tokens, runtime) = (Arc::clone(tokens), Handle::current());
        let asked = thread::spawn(move || runtime.block_on(async { tokens.ping().await }));
        tokio::task::spawn_blocking(|| asked.join())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
    panic!("some connection is never used");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_are_replaced() {
    let Some(server) = single() else { return };
    let mut redis = open(&env::var("REVOLVE_TEST_REDIS_URL").expect("it is set")).await;
    // A user of its own: killing its connections meets nobody else.
    let user = format!("test-{}", uuid::Uuid::from_bytes(random()));
    let _: () = cmd("ACL")
        .arg("SETUSER")
        .arg(&user)
        .arg(&["on", ">secret", "~*", "&*", "+@all"])
        .query_async(&mut redis)
        .await
        .unwrap();
    let url = format!(
        "redis://{user}:secret@{}/{}",
        server.addr(),
        server.redis_settings().db()
    );
    let tokens = Arc::new(
        RedisTokens::connect(RedisConfig {
            connections: 3,
            timeout: PATIENT,
            ..RedisConfig::new(url.into())
        })
        .await
        .unwrap(),
    );
    assert_eq!(
        tokens.connections(),
        (3, 1),
        "a thread dials its connection when it needs it"
    );
    for _ in 0..3 {
        use_all(&tokens).await;
        let killed: usize = cmd("CLIENT")
            .arg("KILL")
            .arg("USER")
            .arg(&user)
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(
            killed, 3,
            "as many connections as configured, all of them open"
        );
        while tokens.connections().1 > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        until_available(&tokens).await;
        for _ in 0..6 {
            tokens
                .ping()
                .await
                .expect("an idle connection's end is noticed before it is used again");
        }
    }
    let _: () = cmd("ACL")
        .arg("DELUSER")
        .arg(&user)
        .query_async(&mut redis)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_user_who_may_not_write_is_refused_at_the_start() {
    let Some(server) = single() else { return };
    let mut redis = open(&env::var("REVOLVE_TEST_REDIS_URL").expect("it is set")).await;
    let user = format!("test-{}", uuid::Uuid::from_bytes(random()));
    let url = format!(
        "redis://{user}:secret@{}/{}",
        server.addr(),
        server.redis_settings().db()
    );
    let needed = ["+@read", "+@scripting", "+info", "+ping", "+time"];
    for (keys, more, refused) in [
        ("~{*", &["+@write"][..], None),
        ("~{*", &[], Some("DEL, HDEL, HSET, PEXPIRE, RENAME, SET")),
        ("~{*", &["+@write", "-rename"], Some("use RENAME,")),
        ("~{limits}*", &["+@write"], Some("HSET")),
        ("%R~{*", &["+@write"], Some("HSET")),
    ] {
        let _: () = cmd("ACL")
            .arg("SETUSER")
            .arg(&user)
            .arg(&["reset", "on", ">secret", keys])
            .arg(&needed)
            .arg(more)
            .query_async(&mut redis)
            .await
            .unwrap();
        let connected = RedisTokens::connect(RedisConfig {
            timeout: PATIENT,
            ..RedisConfig::new(url.clone().into())
        })
        .await;
        match (connected, refused) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => {
                assert_eq!(error.kind(), StoreErrorKind::Broken);
                let said = full_message(&error);
                assert!(said.contains(words), "{keys} {more:?}: {said}");
            }
            (connected, _) => panic!("{keys} {more:?}: {connected:?}"),
        }
    }
    let exists: bool = cmd("EXISTS")
        .arg("{doctor}:key")
        .arg("{limits}:doctor")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(!exists, "it leaves nothing behind");
    let _: () = cmd("ACL")
        .arg("DELUSER")
        .arg(&user)
        .query_async(&mut redis)
        .await
        .unwrap();
}

#[tokio::test]
async fn nonsense_in_a_key_is_a_broken_store() {
    let Some((new, tokens, mut redis)) = begun().await else {
        return;
    };
    let key = token_key(&new, 1);
    let _: () = redis.set_ex(&key, "a string", 60).await.unwrap();
    let error = tokens.rotate(&rotation(&new, 1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(
        full_message(&error).contains("WRONGTYPE"),
        "{}",
        full_message(&error)
    );
    tokens
        .end(new.user, &[new.session])
        .await
        .expect("a sign-out does not stumble over it");

    let index = format!("{{{}}}:sessions", new.user);
    let _: () = redis
        .hset(&index, new.session.to_string(), "nonsense")
        .await
        .unwrap();
    let error = tokens.list(new.user).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(
        full_message(&error).contains("gen:jti"),
        "{}",
        full_message(&error)
    );
    let _: () = redis.del(&index).await.unwrap();
    let field = [
        ("gen", "1"),
        ("iat", "1"),
        ("exp", "soon"),
        ("rotated_at", "1"),
    ];
    let _: () = redis.hset_multiple(&key, &field).await.unwrap();
    let _: () = redis
        .hset(
            &index,
            new.session.to_string(),
            format!("1:{}", key.rsplit(':').next().unwrap()),
        )
        .await
        .unwrap();
    let error = tokens.list(new.user).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(
        full_message(&error).contains("exp of"),
        "{}",
        full_message(&error)
    );
    let _: () = redis.del(&[index, key]).await.unwrap();
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_named_at_once() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let begun = Instant::now();
    let error = RedisTokens::connect(RedisConfig {
        timeout: PATIENT,
        ..RedisConfig::new(format!("redis://me:hunter2@{free}").into())
    })
    .await
    .unwrap_err();
    assert!(
        begun.elapsed() < PATIENT / 2,
        "it did not wait for the deadline"
    );
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let message = full_message(&error);
    assert!(message.contains(&free.to_string()), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[tokio::test]
async fn a_wrong_password_is_broken_and_not_told() {
    let Some(server) = single() else { return };
    let url = format!(
        "redis://nobody-{}:hunter2@{}",
        uuid::Uuid::from_bytes(random()),
        server.addr()
    );
    let config = RedisConfig {
        timeout: PATIENT,
        ..RedisConfig::new(url.into())
    };
    assert!(!format!("{config:?}").contains("hunter2"));
    let error = RedisTokens::connect(config).await.unwrap_err();
    assert_eq!(
        error.kind(),
        StoreErrorKind::Broken,
        "{}",
        full_message(&error)
    );
    assert!(
        !full_message(&error).contains("hunter2"),
        "{}",
        full_message(&error)
    );

    let error = RedisTokens::connect(RedisConfig::new(
        "http://:hunter2@localhost".to_owned().into(),
    ))
    .await
    .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(
        !full_message(&error).contains("hunter2"),
        "{}",
        full_message(&error)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_comes_back_without_a_restart() {
    let Some(server) = single() else { return };
    let proxy = RedisProxy::to(server.addr().to_string()).await;
    let tokens = RedisTokens::connect(config(&server, &proxy.address))
        .await
        .unwrap();
    for _ in 0..2 {
        proxy.set(ProxyMode::Refuse);
        // The first may still be on its way.
        let _ = tokens.ping().await;
        let begun = Instant::now();
        for _ in 0..50 {
            let error = tokens.ping().await.unwrap_err();
            assert_eq!(
                error.kind(),
                StoreErrorKind::Unavailable,
                "{}",
                full_message(&error)
            );
        }
        assert!(
            begun.elapsed() < PATIENT / 2,
            "fifty calls while Redis is down do not wait for one deadline, took {:?}",
            begun.elapsed()
        );
        proxy.set(ProxyMode::Pass);
        until_available(&tokens).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_ends_in_its_middle_passes_by_itself() {
    let Some(server) = single() else { return };
    let proxy = RedisProxy::to(server.addr().to_string()).await;
    let tokens = RedisTokens::connect(config(&server, &proxy.address))
        .await
        .unwrap();
    proxy.set(ProxyMode::CutAnswers);
    // Those that were open, then those that are dialled.
    for _ in 0..6 {
        let error = tokens.ping().await.unwrap_err();
        assert_eq!(
            error.kind(),
            StoreErrorKind::Unavailable,
            "{}",
            full_message(&error)
        );
    }
    proxy.set(ProxyMode::Pass);
    until_available(&tokens).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_costs_one_deadline_and_is_found_again() {
    let Some(server) = single() else { return };
    let proxy = RedisProxy::to(server.addr().to_string()).await;
    let timeout = Duration::from_secs(3);
    let tokens = RedisTokens::connect(RedisConfig {
        connections: 1,
        timeout,
        ..config(&server, &proxy.address)
    })
    .await
    .unwrap();
    proxy.set(ProxyMode::Stall);
    let hung = Instant::now();
    let error = tokens.ping().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        full_message(&error).contains(&proxy.address),
        "{}",
        full_message(&error)
    );
    assert!(
        hung.elapsed() >= timeout && hung.elapsed() < timeout * 3,
        "it took {:?}",
        hung.elapsed()
    );

    // The connection is replaced, which hangs too. From then on one caller tries, and the others do not wait for it.
    tokens.ping().await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let trying = AtomicBool::new(true);
    let trier = async {
        tokens.ping().await.unwrap_err();
        trying.store(false, Ordering::Relaxed);
    };
    let others = async {
        for _ in 0..20 {
            tokens.ping().await.unwrap_err();
        }
        assert!(trying.load(Ordering::Relaxed), "they are answered first");
    };
    tokio::join!(trier, others);
    proxy.set(ProxyMode::Pass);
    until_available(&tokens).await;
}

#[tokio::test]
async fn what_comes_after_the_close_is_refused() {
    let Some(server) = server() else { return };
    let tokens = connect(&server).await;
    tokens.close().await;
    let error = tokens
        .list(UserId::from_random(random()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        full_message(&error).contains("closed"),
        "{}",
        full_message(&error)
    );
}
