//! What is stored in Redis: names, fields and lifetimes are documented in `docs/sessions.md`.

use super::{LIFE, START, begun, connect, connect_directly, new_session, random, rotation, server};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use deadpool_redis::redis::{AsyncCommands, aio::MultiplexedConnection};
use revolve_domain::{
    model::{DeviceId, Epoch, TokenId, UserId},
    ports::{NewLiveSession, TokenRepository},
    rotation::{DeviceProof, LiveToken, RetryPolicy, Rotation, RotationOutcome},
};
use std::{collections::BTreeMap, time::Duration};

async fn keys(redis: &mut MultiplexedConnection, user: UserId) -> Vec<String> {
    let mut keys: Vec<String> = redis
        .keys(format!("{{{user}}}:*"))
        .await
        .expect("KEYS works");
    keys.sort_unstable();
    keys
}

pub(super) fn token_key(new: &NewLiveSession, generation: u64) -> String {
    let token = TokenId::of(new.session, rotation(new, generation).presented);
    let token = URL_SAFE_NO_PAD.encode(token.as_uuid().as_bytes());
    format!("{{{}}}:{token}", new.user)
}

/// Just under: it was set a moment ago.
async fn assert_ttl(redis: &mut MultiplexedConnection, key: &str, life: Duration) {
    let left: i64 = redis.pttl(key).await.expect("PTTL works");
    let life = i64::try_from(life.as_millis()).expect("a short life");
    assert!(
        left <= life && left > life - 20_000,
        "{key} should live {life} ms more, has {left} ms"
    );
}

#[tokio::test]
async fn a_session_is_one_key_and_an_entry_of_the_index() {
    let Some((new, tokens, mut redis)) = begun().await else {
        return;
    };

    let (index, first, second) = (
        format!("{{{}}}:sessions", new.user),
        token_key(&new, 1),
        token_key(&new, 2),
    );
    let mut expected = vec![index.clone(), first.clone()];
    expected.sort_unstable();
    assert_eq!(keys(&mut redis, new.user).await, expected);
    assert_ttl(&mut redis, &first, LIFE).await;
    assert_ttl(&mut redis, &index, LIFE).await;

    assert!(matches!(
        tokens.rotate(&rotation(&new, 1)).await.unwrap(),
        RotationOutcome::Rotated(_)
    ));
    let mut expected = vec![index.clone(), second.clone()];
    expected.sort_unstable();
    assert_eq!(
        keys(&mut redis, new.user).await,
        expected,
        "the old key is gone and its successor there"
    );
    assert_ttl(&mut redis, &second, LIFE).await;
    let entries: BTreeMap<String, String> = redis.hgetall(&index).await.unwrap();
    let jti = second.rsplit(':').next().unwrap();
    assert_eq!(
        entries,
        [(new.session.to_string(), format!("2:{jti}"))].into()
    );

    tokens.end(new.user, &[new.session]).await.unwrap();
    assert_eq!(
        keys(&mut redis, new.user).await,
        [""; 0],
        "nothing is left of the last session"
    );
}

#[tokio::test]
async fn an_entry_of_an_earlier_release_gets_the_present_form_by_a_rotation() {
    let Some((new, tokens, mut redis)) = begun().await else {
        return;
    };
    let (index, present) = (format!("{{{}}}:sessions", new.user), token_key(&new, 1));
    let jti = TokenId::of(new.session, rotation(&new, 1).presented).to_string();
    let earlier = format!("{{{}}}:{jti}", new.user);
    let _: () = redis.rename(&present, &earlier).await.unwrap();
    let session = new.session.to_string();
    let _: () = redis.hset(&earlier, "sid", &session).await.unwrap();
    let entry = format!("1:{jti}");
    let _: () = redis.hset(&index, &session, entry).await.unwrap();

    assert_eq!(tokens.list(new.user).await.unwrap().len(), 1);
    assert!(matches!(
        tokens.rotate(&rotation(&new, 1)).await.unwrap(),
        RotationOutcome::Rotated(_)
    ));
    let mut expected = vec![index, token_key(&new, 2)];
    expected.sort_unstable();
    assert_eq!(keys(&mut redis, new.user).await, expected);
    let sid: Option<String> = redis.hget(token_key(&new, 2), "sid").await.unwrap();
    assert_eq!(sid, None);
}

#[tokio::test]
async fn fields_have_their_names_and_are_left_out_at_their_default() {
    let Some(server) = server() else { return };
    let device = DeviceId::from_random(random());
    let plain = new_session(UserId::from_random(random()));
    let (tokens, mut redis) = (
        connect(&server).await,
        connect_directly(&server).await.for_user(plain.user).await,
    );
    let bound = NewLiveSession {
        token: LiveToken {
            device: Some(device),
            ..plain.token
        },
        epoch: Epoch::new(3),
        ..plain
    };

    tokens.begin(bound).await.unwrap();
    let mut fields: BTreeMap<String, String> = redis.hgetall(token_key(&plain, 1)).await.unwrap();
    let rotated_at: i64 = fields.remove("rotated_at").unwrap().parse().unwrap();
    let (seconds, _): (i64, i64) = deadpool_redis::redis::cmd("TIME")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(
        (seconds * 1000 - rotated_at).abs() < 20_000,
        "rotated_at is in milliseconds of Redis' own clock"
    );
    let named = |fields: &[(&str, String)]| {
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    let always = [
        ("gen", "1".to_owned()),
        ("iat", START.as_seconds().to_string()),
        ("exp", START.plus(LIFE).as_seconds().to_string()),
    ];
    let mut expected: BTreeMap<String, String> = named(&always);
    expected.extend([
        ("did".to_owned(), device.to_string()),
        ("epoch".to_owned(), "3".to_owned()),
    ]);
    assert_eq!(fields, expected);

    // A late retry at once, then a successor that has nothing of all that.
    let proof = DeviceProof {
        owner: device,
        shown: Some(device),
        bound: true,
    };
    let policy = RetryPolicy {
        retry_free: Duration::ZERO,
        ..RetryPolicy::default()
    };
    let attempt = |presented| Rotation {
        device: proof,
        policy,
        ..rotation(&bound, presented)
    };
    tokens.rotate(&attempt(1)).await.unwrap();
    assert!(matches!(
        tokens.rotate(&attempt(1)).await.unwrap(),
        RotationOutcome::Repeated { late: true, .. }
    ));
    let late: (Option<u32>, Option<u32>) = redis
        .hmget(token_key(&plain, 2), &["late", "charged"])
        .await
        .unwrap();
    assert_eq!(late, (Some(1), Some(1)));
    let generation: String = redis.hget(token_key(&plain, 2), "gen").await.unwrap();
    assert_eq!(
        generation,
        format!("2:{}", START.as_seconds()),
        "with the iat of the token that was replaced"
    );
    tokens.begin(plain).await.unwrap();
    let mut fields: BTreeMap<String, String> = redis.hgetall(token_key(&plain, 1)).await.unwrap();
    fields.remove("rotated_at");
    assert_eq!(fields, named(&always));
    tokens.end(plain.user, &[plain.session]).await.unwrap();
}

#[tokio::test]
async fn an_entry_that_an_earlier_release_wrote_is_accepted_as_by_that_release() {
    let Some(server) = server() else { return };
    let new = new_session(UserId::from_random(random()));
    let (tokens, mut redis) = (
        connect(&server).await,
        connect_directly(&server).await.for_user(new.user).await,
    );
    let another = |presented| Rotation {
        presented_issued_at: START.plus(Duration::from_secs(1)),
        ..rotation(&new, presented)
    };
    tokens.begin(new).await.unwrap();
    tokens.rotate(&rotation(&new, 1)).await.unwrap();
    // Its rotations write the generation alone, also over an entry of this release.
    let _: () = redis.hset(token_key(&new, 2), "gen", "2").await.unwrap();
    assert!(matches!(
        tokens.rotate(&another(1)).await.unwrap(),
        RotationOutcome::Repeated { .. }
    ));
    assert!(matches!(
        tokens.rotate(&rotation(&new, 2)).await.unwrap(),
        RotationOutcome::Rotated(_)
    ));
    assert!(
        matches!(
            tokens.rotate(&another(2)).await.unwrap(),
            RotationOutcome::Reused { .. }
        ),
        "from then on it is known"
    );
    tokens.end(new.user, &[new.session]).await.unwrap();
}

#[tokio::test]
async fn each_session_has_one_key_and_the_index_outlives_them_all() {
    let Some(server) = server() else { return };
    let user = UserId::from_random(random());
    let (tokens, mut redis) = (
        connect(&server).await,
        connect_directly(&server).await.for_user(user).await,
    );
    let long = new_session(user);
    let short = NewLiveSession {
        token: LiveToken {
            expires_at: START.plus(LIFE / 4),
            ..long.token
        },
        ..new_session(user)
    };
    tokens.begin(long).await.unwrap();
    tokens.begin(short).await.unwrap();
    for generation in 1..5 {
        tokens.rotate(&rotation(&long, generation)).await.unwrap();
    }
    assert_eq!(keys(&mut redis, user).await.len(), 3);
    assert_ttl(&mut redis, &token_key(&short, 1), LIFE / 4).await;
    assert_ttl(&mut redis, &format!("{{{user}}}:sessions"), LIFE).await;
    tokens.end_older(user, Epoch::new(1), None).await.unwrap();
    assert_eq!(keys(&mut redis, user).await, [""; 0]);
}

#[tokio::test]
async fn healing_leaves_no_key_behind() {
    let Some((new, tokens, mut redis)) = begun().await else {
        return;
    };
    assert!(matches!(
        tokens.rotate(&rotation(&new, 7)).await.unwrap(),
        RotationOutcome::Healed { .. }
    ));
    let keys = keys(&mut redis, new.user).await;
    assert_eq!(keys.len(), 2);
    assert!(keys.contains(&token_key(&new, 8)));
    tokens.end(new.user, &[new.session]).await.unwrap();
}

#[tokio::test]
async fn an_entry_whose_key_is_gone_counts_as_none() {
    let Some((new, tokens, mut redis)) = begun().await else {
        return;
    };
    let _: () = redis.del(token_key(&new, 1)).await.unwrap();
    assert_eq!(tokens.list(new.user).await.unwrap(), []);
    assert_eq!(
        tokens.rotate(&rotation(&new, 1)).await.unwrap(),
        RotationOutcome::Unknown
    );
    let other = NewLiveSession {
        ceiling: 1,
        ..new_session(new.user)
    };
    assert_eq!(tokens.begin(other).await.unwrap(), []);
    let entries: usize = redis
        .hlen(format!("{{{}}}:sessions", new.user))
        .await
        .unwrap();
    assert_eq!(entries, 1, "a sign-in drops the dead from the index");
    tokens.end(new.user, &[other.session]).await.unwrap();
}
