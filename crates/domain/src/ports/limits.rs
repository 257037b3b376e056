//! Counting what may happen so often and no more.

use super::StoreError;
use crate::limits::{Bucket, Rate};
use async_trait::async_trait;
use std::time::Duration;

/// One to take, and the rate that its bucket is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// From which bucket.
    pub bucket: Bucket,
    /// How much it holds and how fast it fills.
    pub rate: Rate,
}

/// What is left in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// So many.
    pub remaining: u32,
    /// After what time it is full again.
    pub full_after: Duration,
}

/// A bucket that was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Empty {
    /// Which of those asked for, by its place.
    pub index: usize,
    /// After what time there is one in it; more than zero.
    pub retry_after: Duration,
    /// Whether this is the first time within the rate's window that it refused.
    pub first: bool,
}

/// How taking came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOutcome {
    /// One was taken from each; what is left in them, in the order in which they were asked for.
    Allowed(Vec<Level>),
    /// None was taken from any; the empty ones, of which there is at least one, in that order.
    Limited(Vec<Empty>),
}

/// Keeps buckets.
///
/// Time is the store's own, and every method is one atomic step. An instance is for a service with all of its replicas, or for
/// one process; whoever wires it says which.
///
/// - Whom a bucket is about MUST NOT be readable in a store that outlives the process: keep a keyed digest of
///   [`Bucket::key`].
/// - A bucket MUST be forgotten once it is full and no refusal of it need be remembered ([`crate::limits::State::dies_at`]), and
///   memory in the service's own process MUST be bounded, however many buckets are asked for.
///
/// The contract suite is `revolve_testkit::contract::limits`.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes one from each of these buckets, or from none if one of them is empty. Each bucket is named at most once. MUST have
    /// the outcome and leave the state of [`crate::limits::take`]: however many take at once, no more is taken than there is.
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError>;

    /// Puts back what [`RateLimiter::take`] took: what it was taken for does not count. MUST have the outcome of
    /// [`crate::limits::give_back`] for each; a bucket that is full stays so.
    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError>;
}
