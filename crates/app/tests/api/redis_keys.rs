//! What an operator sees in Redis.

use crate::support::{Actor, App, Store, with_config};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use deadpool_redis::redis::{AsyncCommands, aio::MultiplexedConnection};
use futures_util::future::join_all;
use std::collections::HashMap;
use uuid::Uuid;

/// The Redis that has the actor's keys.
async fn redis(app: &App, actor: &Actor) -> MultiplexedConnection {
    app.backing
        .server()
        .redis_of(Actor::claims(&actor.refresh_token)["uid"].as_str().unwrap())
        .await
}

/// The key of a refresh token and the user's index.
fn keys(token: &str) -> (String, String) {
    let claims = Actor::claims(token);
    let (uid, jti) = (
        claims["uid"].as_str().unwrap(),
        claims["jti"].as_str().unwrap(),
    );
    let entry = entry_of(jti);
    (format!("{{{uid}}}:{entry}"), format!("{{{uid}}}:sessions"))
}

/// A `jti` as Redis has it.
fn entry_of(jti: &str) -> String {
    URL_SAFE_NO_PAD.encode(jti.parse::<Uuid>().unwrap().as_bytes())
}

/// The life of a refresh token in seconds.
const LIFE: i64 = 3 * 24 * 3600;

#[test]
fn a_token_is_a_key_that_lives_as_long_as_it() {
    with_config(Store::Server, "", |app| async move {
        let mut ann = app.sign_up("ann").await;
        let mut redis = redis(&app, &ann).await;
        let (key, index) = keys(&ann.refresh_token);
        let ttl: i64 = redis.ttl(&key).await.unwrap();
        assert!((LIFE - 10..=LIFE).contains(&ttl), "{ttl}");
        let claims = Actor::claims(&ann.refresh_token);
        let fields: HashMap<String, String> = redis.hgetall(&key).await.unwrap();
        assert_eq!(
            (fields["gen"].as_str(), &fields["iat"], &fields["exp"]),
            ("1", &claims["iat"].to_string(), &claims["exp"].to_string())
        );
        let entry: String = redis.hget(&index, &ann.session).await.unwrap();
        assert_eq!(
            entry,
            format!("1:{}", entry_of(claims["jti"].as_str().unwrap()))
        );
        let parent = claims["iat"].clone();

        ann.refresh().await.expect(200);
        let (next, _) = keys(&ann.refresh_token);
        assert_ne!(key, next);
        let there: (bool, bool) = (
            redis.exists(&key).await.unwrap(),
            redis.exists(&next).await.unwrap(),
        );
        assert_eq!(
            there,
            (false, true),
            "the old key is gone, the new one is there"
        );
        let ttl: i64 = redis.ttl(&next).await.unwrap();
        assert!((LIFE - 10..=LIFE).contains(&ttl), "{ttl}");
        let generation: String = redis.hget(&next, "gen").await.unwrap();
        assert_eq!(
            generation,
            format!("2:{parent}"),
            "with the iat of its parent"
        );

        ann.sign_out("this").await.expect(204);
        let left: (bool, bool) = (
            redis.exists(&next).await.unwrap(),
            redis.exists(&index).await.unwrap(),
        );
        assert_eq!(left, (false, false), "nothing is left of the session");
    });
}

#[test]
fn a_hundred_refreshes_at_once_leave_one_key() {
    with_config(Store::Server, "", |app| async move {
        let ann = app.sign_up("ann").await;
        let mut redis = redis(&app, &ann).await;
        for answer in join_all((0..100).map(|_| ann.refresh_with(&ann.refresh_token))).await {
            answer.expect(200);
        }
        let (_, index) = keys(&ann.refresh_token);
        let pattern = index.replace("sessions", "*").replace('{', "\\{");
        let mut found: Vec<String> = redis.keys(pattern).await.unwrap();
        found.retain(|key| *key != index);
        assert_eq!(found.len(), 1, "exactly one live key: {found:?}");
        let sessions: HashMap<String, String> = redis.hgetall(&index).await.unwrap();
        assert_eq!(sessions.len(), 1);
    });
}
