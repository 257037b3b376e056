//! The store of rate limits.

use super::StoreError;
use crate::limits::{Bucket, Rate};
use async_trait::async_trait;
use std::time::Duration;

/// One to take from a bucket, with the bucket's rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The bucket.
    pub bucket: Bucket,
    /// Its size and how fast it fills.
    pub rate: Rate,
}

/// The content of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketLevel {
    /// How many are left.
    pub remaining: u32,
    /// The time until it is full.
    pub full_after: Duration,
}

/// A bucket that was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyBucket {
    /// Its index among those of the call.
    pub index: usize,
    /// The time until one can be taken; more than zero.
    pub retry_after: Duration,
    /// Whether this is its first refusal within the rate's window.
    pub first: bool,
}

/// The outcome of [`RateLimiter::take`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOutcome {
    /// One was taken from each; what is left in each, in the order of the call.
    Allowed(Vec<BucketLevel>),
    /// None was taken from any; the empty ones, at least one, in the order of the call.
    Limited(Vec<EmptyBucket>),
}

/// Keeps buckets.
///
/// Time is the store's own, and every method is one atomic step. The buckets are those of one process or of all replicas; the
/// composition decides.
///
/// - A store that outlives the process MUST NOT have the key of a bucket in the clear, but a keyed digest of [`Bucket::key`].
/// - A bucket MUST be forgotten once it is full and no refusal of it need be remembered ([`crate::limits::BucketState::dies_at`]), and
///   memory in the service's own process MUST be bounded, however many buckets are used.
///
/// The contract suite is `revolve_testkit::contract::limits`.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes one from each of these buckets, or from none if one of them is empty. Each bucket is named at most once. MUST have
    /// the outcome and leave the state of [`crate::limits::take`]: however many take at once, no more is taken than there is.
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError>;

    /// Puts back what [`RateLimiter::take`] took. MUST have the outcome of
    /// [`crate::limits::give_back`] for each; a bucket that is full stays so.
    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError>;
}
