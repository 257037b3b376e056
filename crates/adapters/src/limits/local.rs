//! Buckets in the memory of this process, not shared with other replicas.

use async_trait::async_trait;
use revolve_domain::{
    limits::{self, Bucket, BucketState},
    ports::{BucketLevel, Clock, EmptyBucket, RateLimiter, StoreError, Take, TakeOutcome},
};
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Parts with a lock each.
const SHARDS: usize = 16;

/// Buckets by the digest of their name.
type Shard = HashMap<u128, BucketState>;

/// Keeps a bounded number of buckets in memory. What does not fit is dropped, the fullest buckets first: a flood of made-up names
/// displaces its own buckets, not those that others have emptied.
pub struct LocalLimits {
    clock: Arc<dyn Clock>,
    digests: [RandomState; 2],
    shards: [Mutex<Shard>; SHARDS],
    most_per_shard: usize,
}

impl LocalLimits {
    /// Most buckets; they take some 20 MB.
    pub const MOST: usize = 1 << 18;

    /// All buckets are full. The clock should never step back: buckets would look emptier than they are.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_most(clock, Self::MOST)
    }

    /// With another bound, rounded up to a multiple of 16.
    pub fn with_most(clock: Arc<dyn Clock>, most: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self {
            clock,
            digests: [RandomState::new(), RandomState::new()],
            shards,
            most_per_shard: most.div_ceil(SHARDS).max(1),
        }
    }

    /// How many buckets are kept.
    pub fn size(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis().saturating_mul(1000)
    }

    fn digest(&self, bucket: &Bucket) -> u128 {
        let [high, low] = self
            .digests
            .each_ref()
            .map(|digest| u128::from(digest.hash_one(bucket)));
        high << 64 | low
    }

    /// The digests of these buckets, and their shards, each locked once and in order, so that no two callers wait for each other.
    fn lock(&self, takes: &[Take]) -> (Vec<u128>, LockedShards<'_>) {
        let digests: Vec<u128> = takes.iter().map(|take| self.digest(&take.bucket)).collect();
        let mut numbers: Vec<usize> = digests.iter().copied().map(shard_of).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let shards = numbers
            .into_iter()
            .map(|number| (number, lock(&self.shards[number])))
            .collect();
        (digests, LockedShards(shards))
    }

    fn put(&self, shard: &mut Shard, digest: u128, state: BucketState, now: i64) {
        if shard.len() >= self.most_per_shard && !shard.contains_key(&digest) {
            make_room(shard, now);
        }
        shard.insert(digest, state);
    }
}

/// Drops buckets that are full; if these are few, also the half of the rest that is full first.
fn make_room(shard: &mut Shard, now: i64) {
    let before = shard.len();
    shard.retain(|_, state| state.dies_at() > now);
    if shard.len() > before / 4 * 3 {
        let mut ends: Vec<i64> = shard.values().map(BucketState::dies_at).collect();
        let middle = ends.len() / 2;
        let (_, &mut median, _) = ends.select_nth_unstable(middle);
        // Many may be full at the same time: of these, too, only half are dropped.
        let mut surplus = middle + 1;
        shard.retain(|_, state| {
            let dropped = state.dies_at() <= median && surplus > 0;
            surplus -= usize::from(dropped);
            !dropped
        });
    }
}

/// The map in a shard hashes the digest again, so that these bits do not matter to it.
fn shard_of(digest: u128) -> usize {
    usize::try_from(digest % SHARDS as u128).unwrap_or(0)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By number.
struct LockedShards<'a>(Vec<(usize, MutexGuard<'a, Shard>)>);

impl LockedShards<'_> {
    fn shard(&mut self, digest: u128) -> Option<&mut Shard> {
        let number = shard_of(digest);
        self.0
            .iter_mut()
            .find(|(of, _)| *of == number)
            .map(|(_, shard)| &mut **shard)
    }

    fn get(&mut self, digest: u128) -> Option<BucketState> {
        self.shard(digest)?.get(&digest).copied()
    }
}

#[async_trait]
impl RateLimiter for LocalLimits {
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError> {
        let (digests, mut locked) = self.lock(takes);
        let now = self.now();
        let steps = takes
            .iter()
            .zip(&digests)
            .map(|(take, &digest)| limits::take(locked.get(digest), take.rate, now));
        let steps: Vec<_> = steps.collect();
        let limited = steps.iter().any(Result::is_err);
        let (mut levels, mut empty) = (Vec::new(), Vec::new());
        for (index, (&digest, step)) in digests.iter().zip(&steps).enumerate() {
            let state = match step {
                Ok(_) if limited => continue,
                Ok(taken) => {
                    levels.push(BucketLevel {
                        remaining: taken.remaining,
                        full_after: taken.full_after,
                    });
                    taken.state
                }
                Err(refused) => {
                    empty.push(EmptyBucket {
                        index,
                        retry_after: refused.retry_after,
                        first: refused.first,
                    });
                    refused.state
                }
            };
            if let Some(shard) = locked.shard(digest) {
                self.put(shard, digest, state, now);
            }
        }
        Ok(if limited {
            TakeOutcome::Limited(empty)
        } else {
            TakeOutcome::Allowed(levels)
        })
    }

    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError> {
        let (digests, mut locked) = self.lock(takes);
        let now = self.now();
        for (take, digest) in takes.iter().zip(digests) {
            let Some(shard) = locked.shard(digest) else {
                continue;
            };
            let Some(found) = shard.remove(&digest) else {
                continue;
            };
            if let Some(state) = limits::give_back(found, take.rate, now) {
                shard.insert(digest, state);
            }
        }
        Ok(())
    }
}
