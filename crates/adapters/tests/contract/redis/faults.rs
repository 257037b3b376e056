//! Redis goes away, comes back, hangs, forgets the scripts, or holds nonsense.

use super::{
    config, connect, look,
    look::open,
    new_session,
    proxy::{Door, Proxy},
    random, rotation, server, single,
};
use deadpool_redis::redis::{AsyncCommands, cmd};
use revolve_adapters::redis::{RedisConfig, RedisTokens};
use revolve_domain::{
    model::{TokenId, UserId},
    ports::{StoreError, StoreErrorKind, TokenRepository},
    rotation::RotationOutcome,
};
use std::{env, error::Error, sync::Arc, thread, time::Duration};
use tokio::{net::TcpListener, runtime::Handle, time::Instant};

/// All that an error says, with its sources.
pub(super) fn told(error: &StoreError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error} {error:?}");
        source = error.source();
    }
    text
}

/// Waits until Redis can be used again, as a client that tries again would.
async fn until_well(tokens: &RedisTokens) {
    let begun = Instant::now();
    while tokens.ping().await.is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the adapter should find back to Redis"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let Some(server) = server() else { return };
    let new = new_session(UserId::from_random(random()));
    let (tokens, mut look) = (
        connect(&server).await,
        look(&server).await.at(new.user).await,
    );
    tokens.begin(new).await.unwrap();
    let _: () = cmd("SCRIPT")
        .arg("FLUSH")
        .query_async(&mut look)
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
    let mut look = open(&env::var("REVOLVE_TEST_REDIS_URL").expect("it is set")).await;
    // A user of its own: killing its connections meets nobody else.
    let user = format!("test-{}", uuid::Uuid::from_bytes(random()));
    let _: () = cmd("ACL")
        .arg("SETUSER")
        .arg(&user)
        .arg(&["on", ">secret", "~*", "&*", "+@all"])
        .query_async(&mut look)
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
            .query_async(&mut look)
            .await
            .unwrap();
        assert_eq!(
            killed, 3,
            "as many connections as configured, all of them open"
        );
        until_well(&tokens).await;
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
        .query_async(&mut look)
        .await
        .unwrap();
}

#[tokio::test]
async fn nonsense_in_a_key_is_a_broken_store() {
    let Some(server) = server() else { return };
    let new = new_session(UserId::from_random(random()));
    let (tokens, mut look) = (
        connect(&server).await,
        look(&server).await.at(new.user).await,
    );
    let key = format!(
        "{{{}}}:{}",
        new.user,
        TokenId::of(new.session, new.token.generation)
    );
    tokens.begin(new).await.unwrap();
    let _: () = look.set_ex(&key, "a string", 60).await.unwrap();
    let error = tokens.rotate(&rotation(&new, 1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(told(&error).contains("WRONGTYPE"), "{}", told(&error));
    tokens
        .end(new.user, &[new.session])
        .await
        .expect("a sign-out does not stumble over it");

    let index = format!("{{{}}}:sessions", new.user);
    let _: () = look
        .hset(&index, new.session.to_string(), "nonsense")
        .await
        .unwrap();
    let error = tokens.list(new.user).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(told(&error).contains("gen:jti"), "{}", told(&error));
    let _: () = look.del(&index).await.unwrap();
    let field = [
        ("sid", "x"),
        ("gen", "1"),
        ("iat", "1"),
        ("exp", "soon"),
        ("rotated_at", "1"),
    ];
    let _: () = look.hset_multiple(&key, &field).await.unwrap();
    let _: () = look
        .hset(
            &index,
            new.session.to_string(),
            format!("1:{}", key.rsplit(':').next().unwrap()),
        )
        .await
        .unwrap();
    let error = tokens.list(new.user).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(told(&error).contains("exp of"), "{}", told(&error));
    let _: () = look.del(&[index, key]).await.unwrap();
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_named_at_once() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let begun = Instant::now();
    let error = RedisTokens::connect(RedisConfig::new(
        format!("redis://me:hunter2@{free}").into(),
    ))
    .await
    .unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(900));
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let told = told(&error);
    assert!(told.contains(&free.to_string()), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_wrong_password_is_broken_and_not_told() {
    let Some(server) = single() else { return };
    let url = format!(
        "redis://nobody-{}:hunter2@{}",
        uuid::Uuid::from_bytes(random()),
        server.addr()
    );
    let config = RedisConfig::new(url.into());
    assert!(!format!("{config:?}").contains("hunter2"));
    let error = RedisTokens::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken, "{}", told(&error));
    assert!(!told(&error).contains("hunter2"), "{}", told(&error));

    let error = RedisTokens::connect(RedisConfig::new(
        "http://:hunter2@localhost".to_owned().into(),
    ))
    .await
    .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
    assert!(!told(&error).contains("hunter2"), "{}", told(&error));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_comes_back_without_a_restart() {
    let Some(server) = single() else { return };
    let proxy = Proxy::to(server.addr().to_string()).await;
    let tokens = RedisTokens::connect(config(&server, &proxy.address))
        .await
        .unwrap();
    for _ in 0..2 {
        proxy.set(Door::Shut);
        // The first may still be on its way.
        let _ = tokens.ping().await;
        let begun = Instant::now();
        for _ in 0..50 {
            let error = tokens.ping().await.unwrap_err();
            assert_eq!(
                error.kind(),
                StoreErrorKind::Unavailable,
                "{}",
                told(&error)
            );
        }
        assert!(
            begun.elapsed() < Duration::from_millis(900),
            "it fails fast while Redis is down, took {:?}",
            begun.elapsed()
        );
        proxy.set(Door::Open);
        until_well(&tokens).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_ends_in_its_middle_passes_by_itself() {
    let Some(server) = single() else { return };
    let proxy = Proxy::to(server.addr().to_string()).await;
    let tokens = RedisTokens::connect(config(&server, &proxy.address))
        .await
        .unwrap();
    proxy.set(Door::Half);
    // Those that were open, then those that are dialled.
    for _ in 0..6 {
        let error = tokens.ping().await.unwrap_err();
        assert_eq!(
            error.kind(),
            StoreErrorKind::Unavailable,
            "{}",
            told(&error)
        );
    }
    proxy.set(Door::Open);
    until_well(&tokens).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_costs_one_deadline_and_is_found_again() {
    let Some(server) = single() else { return };
    let proxy = Proxy::to(server.addr().to_string()).await;
    let timeout = Duration::from_millis(400);
    let tokens = RedisTokens::connect(RedisConfig {
        connections: 1,
        timeout,
        ..config(&server, &proxy.address)
    })
    .await
    .unwrap();
    proxy.set(Door::Stuck);
    let hung = Instant::now();
    let error = tokens.ping().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(told(&error).contains(&proxy.address), "{}", told(&error));
    assert!(
        hung.elapsed() >= timeout && hung.elapsed() < timeout * 3,
        "it took {:?}",
        hung.elapsed()
    );

    // The connection is replaced, which hangs too; from then on one caller tries, and nobody waits for it.
    tokens.ping().await.unwrap_err();
    let trier = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        tokens.ping().await.unwrap_err();
    };
    let others = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        for _ in 0..20 {
            tokens.ping().await.unwrap_err();
        }
        assert!(
            begun.elapsed() < timeout / 2,
            "it took {:?}",
            begun.elapsed()
        );
    };
    tokio::join!(trier, others);
    proxy.set(Door::Open);
    until_well(&tokens).await;
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
    assert!(told(&error).contains("closed"), "{}", told(&error));
}
