//! Rate limit buckets in Redis, shared by all replicas: one short string with a TTL for each bucket that is not full, and one Lua script for
//! each operation. All buckets are in one hash slot, so that one call takes from several of them or from none, on a cluster too (ADR 13).
//! The name of a bucket holds its owner only as a keyed digest.

mod names;

pub use names::BucketNames;

use super::client::{failure::UnreadableReply, script::script, topology::Topology};
use async_trait::async_trait;
use deadpool_redis::redis::{Script, ScriptInvocation};
use revolve_domain::ports::{BucketLevel, EmptyBucket, RateLimiter, StoreError, Take, TakeOutcome};
use std::{sync::Arc, time::Duration};

const TAKE: &str = "count an attempt";

/// Rate limit buckets in Redis, over the connections of the white list.
pub struct RedisLimits {
    topology: Arc<Topology>,
    names: BucketNames,
    take: Script,
    give_back: Script,
}

impl RedisLimits {
    pub(super) fn new(topology: Arc<Topology>, names: BucketNames) -> Self {
        Self {
            topology,
            names,
            take: script!("", "shared.lua", "take.lua"),
            give_back: script!(" flags=allow-oom", "shared.lua", "give_back.lua"),
        }
    }

    fn call<'s>(&self, script: &'s Script, takes: &[Take]) -> ScriptInvocation<'s> {
        let mut call = script.prepare_invoke();
        for take in takes {
            call.key(self.names.of(&take.bucket));
            call.arg(take.rate.interval()).arg(take.rate.depth());
        }
        call
    }
}

#[async_trait]
impl RateLimiter for RedisLimits {
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError> {
        if takes.is_empty() {
            return Ok(TakeOutcome::Allowed(Vec::new()));
        }
        let call = self.call(&self.take, takes);
        let answer: Vec<i64> = self.topology.call(TAKE, &call).await?;
        outcome(&answer, takes.len()).ok_or_else(|| {
            let source = UnreadableReply {
                what: "the answer",
                whose: "the limits".to_owned(),
                text: format!("{answer:?}"),
            };
            self.topology.unreadable(TAKE, source)
        })
    }

    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError> {
        if takes.is_empty() {
            return Ok(());
        }
        let call = self.call(&self.give_back, takes);
        self.topology.call("uncount an attempt", &call).await
    }
}

/// Parses the answer of `take.lua`, whose header describes it.
fn outcome(answer: &[i64], asked: usize) -> Option<TakeOutcome> {
    let micros = |micros: i64| u64::try_from(micros).ok().map(Duration::from_micros);
    let (&allowed, rest) = answer.split_first()?;
    match allowed {
        1 if rest.len() == 2 * asked => {
            let level = |pair: &[i64]| {
                Some(BucketLevel {
                    remaining: u32::try_from(pair[0]).ok()?,
                    full_after: micros(pair[1])?,
                })
            };
            rest.chunks_exact(2)
                .map(level)
                .collect::<Option<_>>()
                .map(TakeOutcome::Allowed)
        }
        0 if !rest.is_empty() && rest.len() % 3 == 0 => {
            let empty = |triple: &[i64]| {
                let index = usize::try_from(triple[0])
                    .ok()
                    .filter(|&index| index < asked)?;
                Some(EmptyBucket {
                    index,
                    retry_after: micros(triple[1])?,
                    first: triple[2] == 1,
                })
            };
            rest.chunks_exact(3)
                .map(empty)
                .collect::<Option<_>>()
                .map(TakeOutcome::Limited)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_or_refused() {
        let level = BucketLevel {
            remaining: 4,
            full_after: Duration::from_micros(9),
        };
        assert_eq!(
            outcome(&[1, 4, 9], 1),
            Some(TakeOutcome::Allowed(vec![level]))
        );
        let empty = EmptyBucket {
            index: 1,
            retry_after: Duration::from_micros(7),
            first: true,
        };
        assert_eq!(
            outcome(&[0, 1, 7, 1], 2),
            Some(TakeOutcome::Limited(vec![empty]))
        );
        for bad in [
            &[][..],
            &[1],
            &[1, 4],
            &[1, -4, 9],
            &[0],
            &[0, 1, 7],
            &[0, 2, 7, 1],
            &[0, 1, -7, 1],
            &[2, 4, 9],
        ] {
            assert_eq!(outcome(bad, 2), None, "{bad:?}");
        }
    }
}
