//! Measures how long hashes take on this machine, for choosing their cost.

use super::hash::{
    compute::{broken, compute},
    cost::{HashCost, HasherError},
};
use argon2::{Algorithm, Block, Version};
use revolve_domain::ports::StoreError;
use std::{
    num::NonZeroUsize,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

/// Computes `rounds` hashes on each of `threads` at once, with memory that is reused, as in the service. Returns the time of each, shortest
/// first. A first hash on each thread, which includes the allocation, is left out.
///
/// # Errors
/// [`HasherError`] for a cost that argon2 does not allow.
pub fn measure(
    cost: HashCost,
    threads: NonZeroUsize,
    rounds: NonZeroUsize,
) -> Result<Vec<Duration>, HasherError> {
    let params = cost.params()?;
    let begin = Barrier::new(threads.get());
    let one = || -> Result<Vec<Duration>, StoreError> {
        let mut memory = vec![Block::new(); params.block_count()];
        let mut hash = || {
            let begun = Instant::now();
            compute(
                Algorithm::Argon2id,
                Version::V0x13,
                &params,
                b"correct horse battery",
                b"measured for cost",
                &mut memory,
            )?;
            Ok(begun.elapsed())
        };
        let first = hash();
        begin.wait();
        first?;
        (0..rounds.get()).map(|_| hash()).collect()
    };
    let results: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads.get()).map(|_| scope.spawn(one)).collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(broken(&"it panicked")))
            })
            .collect()
    });
    // With parameters that argon2 allows, it does not fail.
    let mut times: Vec<Duration> = results.into_iter().flatten().flatten().collect();
    times.sort_unstable();
    Ok(times)
}
