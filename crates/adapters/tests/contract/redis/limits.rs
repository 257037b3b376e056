//! Buckets in Redis: the contract, and what an operator sees of them.

use super::{connect, connect_directly, random, server};
use async_trait::async_trait;
use deadpool_redis::redis::{AsyncCommands, Script, aio::MultiplexedConnection};
use revolve_adapters::redis::{BucketNames, RedisLimits, RedisTokens};
use revolve_domain::{
    limits::Bucket,
    model::EmailAddress,
    ports::{RateLimiter, StoreErrorKind, Take, TakeOutcome},
};
use revolve_testkit::contract::{LimitsSubject, MemorySubject};
use std::{sync::Arc, time::Duration};

/// A key in the hash slot of all buckets.
const SLOT: &str = "{limits}:any";

/// Shifts buckets into the past.
const SHIFT: &str = "
    for _, key in ipairs(KEYS) do
        local value = redis.call('GET', key)
        if value then
            local full_at, told_until = string.match(value, '^(%d+):(%d+)$')
            local left = redis.call('PTTL', key) - tonumber(ARGV[1])
            value = string.format('%.0f:%.0f', full_at - ARGV[1] * 1000, told_until - ARGV[1] * 1000)
            if left > 0 then redis.call('SET', key, value, 'PX', left) else redis.call('DEL', key) end
        end
    end";

enum RedisLimitsSubject {
    Redis {
        limits: Arc<RedisLimits>,
        names: BucketNames,
        redis: MultiplexedConnection,
        _tokens: Box<RedisTokens>,
    },
    Skipped(MemorySubject),
}

async fn make() -> RedisLimitsSubject {
    let Some(server) = server() else {
        return RedisLimitsSubject::Skipped(MemorySubject::new());
    };
    let (tokens, names) = (
        connect(&server).await,
        BucketNames::new(random().to_vec().into()),
    );
    RedisLimitsSubject::Redis {
        limits: Arc::new(tokens.limits(names.clone())),
        names,
        redis: connect_directly(&server).await.for_key(SLOT).await,
        _tokens: Box::new(tokens),
    }
}

#[async_trait]
impl LimitsSubject for RedisLimitsSubject {
    fn limiter(&self) -> Arc<dyn RateLimiter> {
        match self {
            Self::Redis { limits, .. } => limits.clone(),
            Self::Skipped(memory) => memory.limiter(),
        }
    }

    async fn advance(&self, buckets: &[Bucket], by: Duration) {
        match self {
            Self::Redis { names, redis, .. } => {
                let script = Script::new(SHIFT);
                let mut call = script.arg(u64::try_from(by.as_millis()).expect("a short time"));
                for bucket in buckets {
                    call.key(names.of(bucket));
                }
                let _: () = call
                    .invoke_async(&mut redis.clone())
                    .await
                    .expect("the shift should work");
            }
            Self::Skipped(memory) => LimitsSubject::advance(memory, buckets, by).await,
        }
    }
}

revolve_testkit::limits_contract!(make);

fn account(name: &str) -> Bucket {
    Bucket::PasswordAccount(
        EmailAddress::parse(&format!("{name}@example.org")).expect("an address"),
    )
}

#[tokio::test]
async fn a_bucket_is_one_key_that_names_nobody_and_dies_when_it_is_full() {
    let Some(server) = server() else { return };
    let (tokens, mut redis) = (
        connect(&server).await,
        connect_directly(&server).await.for_key(SLOT).await,
    );
    let names = BucketNames::new(random().to_vec().into());
    let limits = tokens.limits(names.clone());
    let take = [Take {
        bucket: account("somebody"),
        rate: "10/1000s".parse().unwrap(),
    }];
    let key = names.of(&take[0].bucket);
    let left = async |redis: &mut MultiplexedConnection| redis.pttl::<_, i64>(&key).await.unwrap();

    limits.take(&take).await.unwrap();
    let one = left(&mut redis).await;
    assert!(
        one > 80_000 && one <= 100_000,
        "one of ten is missing, and back in 100 s: {one} ms"
    );
    while matches!(limits.take(&take).await.unwrap(), TakeOutcome::Allowed(_)) {}
    let all = left(&mut redis).await;
    assert!(
        all > 980_000 && all <= 1_000_000,
        "all are missing: {all} ms"
    );
    let value: String = redis.get(&key).await.unwrap();
    assert!(
        value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b':'),
        "{value}"
    );

    let other = [Take {
        bucket: account("other"),
        ..take[0].clone()
    }];
    limits.take(&other).await.unwrap();
    limits.give_back(&other).await.unwrap();
    let there: bool = redis.exists(names.of(&other[0].bucket)).await.unwrap();
    assert!(!there, "a full bucket is no key");
    let _: () = redis.del(&key).await.unwrap();
}

#[tokio::test]
async fn installations_that_share_a_redis_do_not_count_for_each_other() {
    let Some(server) = server() else { return };
    let tokens = connect(&server).await;
    let take = [Take {
        bucket: account("both"),
        rate: "1/1s".parse().unwrap(),
    }];
    for _ in 0..2 {
        let limits = tokens.limits(BucketNames::new(random().to_vec().into()));
        assert!(matches!(
            limits.take(&take).await.unwrap(),
            TakeOutcome::Allowed(_)
        ));
    }
}

#[tokio::test]
async fn something_else_under_the_name_is_a_broken_store() {
    let Some(server) = server() else { return };
    let (tokens, mut redis) = (
        connect(&server).await,
        connect_directly(&server).await.for_key(SLOT).await,
    );
    let names = BucketNames::new(random().to_vec().into());
    let take = [Take {
        bucket: account("broken"),
        rate: "1/1s".parse().unwrap(),
    }];
    let _: () = redis
        .set_ex(names.of(&take[0].bucket), "nonsense", 60)
        .await
        .unwrap();
    let error = tokens.limits(names).take(&take).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Broken);
}

#[tokio::test]
async fn after_the_connections_are_closed_it_is_unavailable() {
    let Some(server) = server() else { return };
    let tokens = connect(&server).await;
    let limits = tokens.limits(BucketNames::new(random().to_vec().into()));
    tokens.close().await;
    let take = [Take {
        bucket: account("late"),
        rate: "1/1s".parse().unwrap(),
    }];
    assert_eq!(
        limits.take(&take).await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
}
