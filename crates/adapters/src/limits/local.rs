//! Buckets in the memory of this process: those of one process alone.

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

/// Parts that are locked apart.
const SHARDS: usize = 16;

/// What is known of some buckets, by a digest of whose they are.
type Shard = HashMap<u128, BucketState>;

/// Keeps buckets in memory, a bounded number of them. What does not fit is forgotten, the fullest buckets first: those who ask
/// with millions of made-up names forget each other, not what others have used up.
pub struct LocalLimits {
    clock: Arc<dyn Clock>,
    digests: [RandomState; 2],
    shards: [Mutex<Shard>; SHARDS],
    most_per_shard: usize,
}

impl LocalLimits {
    /// Buckets that are remembered at most; they take some 20 MB then.
    pub const MOST: usize = 1 << 18;

    /// All buckets are full. The clock should never step back; if it does, buckets look as if more had been taken, though never
    /// more than all.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_most(clock, Self::MOST)
    }

    /// The same with another bound, rounded up to a multiple of 16.
    pub fn with_most(clock: Arc<dyn Clock>, most: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self {
            clock,
            digests: [RandomState::new(), RandomState::new()],
            shards,
            most_per_shard: most.div_ceil(SHARDS).max(1),
        }
    }

    /// How many buckets are remembered.
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

    /// Locks the shards of these digests, each once and in order, so that nobody waits for anybody who waits for them.
    fn lock(&self, digests: &[u128]) -> Locked<'_> {
        let mut numbers: Vec<usize> = digests.iter().copied().map(shard_of).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Locked {
            shards: numbers
                .into_iter()
                .map(|number| (number, lock(&self.shards[number])))
                .collect(),
        }
    }

    fn put(&self, shard: &mut Shard, digest: u128, state: BucketState, now: i64) {
        if shard.len() >= self.most_per_shard && !shard.contains_key(&digest) {
            make_room(shard, now);
        }
        shard.insert(digest, state);
    }
}

/// Forgets what says nothing any more, and if that is little, the half that would be forgotten first.
fn make_room(shard: &mut Shard, now: i64) {
    let before = shard.len();
    shard.retain(|_, state| state.dies_at() > now);
    if shard.len() > before / 4 * 3 {
        let mut ends: Vec<i64> = shard.values().map(BucketState::dies_at).collect();
        let middle = ends.len() / 2;
        let (_, &mut median, _) = ends.select_nth_unstable(middle);
        // Many may have the same end: half of them go, too, but no more than that.
        let mut surplus = middle + 1;
        shard.retain(|_, state| {
            let goes = state.dies_at() <= median && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

/// Bits that the map inside does not go by: it makes a hash of its own.
fn shard_of(digest: u128) -> usize {
    usize::try_from(digest % SHARDS as u128).unwrap_or(0)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Locked<'a> {
    shards: Vec<(usize, MutexGuard<'a, Shard>)>,
}

impl Locked<'_> {
    fn shard(&mut self, digest: u128) -> Option<&mut Shard> {
        let number = shard_of(digest);
        self.shards
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
        let digests: Vec<u128> = takes.iter().map(|take| self.digest(&take.bucket)).collect();
        let mut locked = self.lock(&digests);
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
        let digests: Vec<u128> = takes.iter().map(|take| self.digest(&take.bucket)).collect();
        let mut locked = self.lock(&digests);
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
