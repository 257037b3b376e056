//! Measures how long hashes take on this machine: for choosing their cost, and for refusing those that take too long.

use super::hash::{
    Pbkdf2Digest,
    compute::{broken, compute},
    cost::{HashCost, HasherError},
    demand::{Effort, HashAlgorithm, HashParameters},
};
use argon2::{Algorithm, Block, Params, Version};
use revolve_domain::ports::StoreError;
use std::{
    num::NonZeroUsize,
    sync::{Barrier, OnceLock},
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

/// How many reference hashes are computed; the quickest counts.
const REFERENCES: usize = 3;

/// The time that hashes of this algorithm take here, as a multiple of the rule of thumb. Measured once in the life of the process, with
/// hashes of some milliseconds and at most 4 MiB.
pub(crate) fn slowness(algorithm: HashAlgorithm) -> f64 {
    static MEASURED: [OnceLock<f64>; HashAlgorithm::ALL.len()] =
        [const { OnceLock::new() }; HashAlgorithm::ALL.len()];
    *MEASURED[algorithm as usize].get_or_init(|| {
        let cost = reference(algorithm);
        let times = (0..REFERENCES).filter_map(|_| time(cost));
        let quickest = times.min().unwrap_or_default();
        quickest.as_secs_f64() / Effort::of(cost).nominal.as_secs_f64()
    })
}

fn reference(algorithm: HashAlgorithm) -> HashParameters {
    let pbkdf2 = |digest| HashParameters::Pbkdf2 {
        digest,
        iterations: 10_000,
    };
    match algorithm {
        HashAlgorithm::Argon2 => HashParameters::Argon2 {
            memory_kib: 4096,
            passes: 2,
        },
        HashAlgorithm::Bcrypt => HashParameters::Bcrypt { cost: 6 },
        HashAlgorithm::Scrypt => HashParameters::Scrypt {
            log_n: 12,
            r: 8,
            p: 1,
        },
        HashAlgorithm::Pbkdf2Sha1 => pbkdf2(Pbkdf2Digest::Sha1),
        HashAlgorithm::Pbkdf2Sha256 => pbkdf2(Pbkdf2Digest::Sha256),
        HashAlgorithm::Pbkdf2Sha512 => pbkdf2(Pbkdf2Digest::Sha512),
    }
}

/// Of the processor, not of the clock: what else the machine does is no property of a hash. `None` if the parameters are not allowed.
fn time(cost: HashParameters) -> Option<Duration> {
    let (password, salt) = (b"correct horse battery", [0_u8; 16]);
    match cost {
        HashParameters::Argon2 { memory_kib, passes } => {
            let params = Params::new(memory_kib, passes, 1, None).ok()?;
            let mut memory = vec![Block::new(); params.block_count()];
            let begun = processor_time();
            compute(
                Algorithm::Argon2id,
                Version::V0x13,
                &params,
                password,
                &salt,
                &mut memory,
            )
            .ok()?;
            Some(processor_time().saturating_sub(begun))
        }
        HashParameters::Bcrypt { cost } => {
            let begun = processor_time();
            std::hint::black_box(bcrypt::bcrypt(cost, salt, password));
            Some(processor_time().saturating_sub(begun))
        }
        HashParameters::Scrypt { log_n, r, p } => {
            let params = scrypt::Params::new(log_n, r, p).ok()?;
            let begun = processor_time();
            scrypt::scrypt(password, &salt, &params, &mut [0; 32]).ok()?;
            Some(processor_time().saturating_sub(begun))
        }
        HashParameters::Pbkdf2 { digest, iterations } => {
            let mut output = [0; 20];
            let begun = processor_time();
            digest.compute(password, &salt, iterations, &mut output);
            std::hint::black_box(output);
            Some(processor_time().saturating_sub(begun))
        }
    }
}

/// What this thread has computed so far.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The time since the first call.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_is_measured_and_comes_out_near_the_rule_of_thumb() {
        for algorithm in HashAlgorithm::ALL {
            let measured = slowness(algorithm);
            assert!(
                (0.05..50.0).contains(&measured),
                "{algorithm:?}: {measured}"
            );
            assert_eq!(measured.to_bits(), slowness(algorithm).to_bits(), "once");
        }
    }
}
