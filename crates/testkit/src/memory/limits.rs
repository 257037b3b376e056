//! Buckets in memory.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    limits::{self, Bucket, BucketState},
    ports::{BucketLevel, Clock, EmptyBucket, RateLimiter, StoreError, Take, TakeOutcome},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// Buckets in memory, on a clock of their own.
pub struct MemoryLimits {
    clock: Arc<dyn Clock>,
    buckets: Mutex<HashMap<Bucket, BucketState>>,
}

impl MemoryLimits {
    /// All buckets are full.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            buckets: Mutex::default(),
        }
    }

    /// How many buckets have a state.
    pub fn size(&self) -> usize {
        let now = self.now();
        let mut buckets = lock(&self.buckets);
        buckets.retain(|_, state| state.dies_at() > now);
        buckets.len()
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis().saturating_mul(1000)
    }
}

#[async_trait]
impl RateLimiter for MemoryLimits {
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError> {
        let (now, mut buckets) = (self.now(), lock(&self.buckets));
        let steps: Vec<_> = takes
            .iter()
            .map(|take| limits::take(buckets.get(&take.bucket).copied(), take.rate, now))
            .collect();
        let mut empty = Vec::new();
        for (index, (take, step)) in takes.iter().zip(&steps).enumerate() {
            if let Err(refused) = step {
                buckets.insert(take.bucket.clone(), refused.state);
                empty.push(EmptyBucket {
                    index,
                    retry_after: refused.retry_after,
                    first: refused.first,
                });
            }
        }
        if !empty.is_empty() {
            return Ok(TakeOutcome::Limited(empty));
        }
        let taken = takes.iter().zip(steps.into_iter().flatten());
        let levels = taken.map(|(take, taken)| {
            buckets.insert(take.bucket.clone(), taken.state);
            BucketLevel {
                remaining: taken.remaining,
                full_after: taken.full_after,
            }
        });
        Ok(TakeOutcome::Allowed(levels.collect()))
    }

    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError> {
        let (now, mut buckets) = (self.now(), lock(&self.buckets));
        for take in takes {
            let Some(found) = buckets.remove(&take.bucket) else {
                continue;
            };
            if let Some(state) = limits::give_back(found, take.rate, now) {
                buckets.insert(take.bucket.clone(), state);
            }
        }
        Ok(())
    }
}
