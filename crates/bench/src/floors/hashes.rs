//! The argon2 loop: the service's parameters, memory that is reused, in pages of the usual size, on one core and on all of them.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::{Figures, cpu};

/// How much lower than usual the priority of hashing is by default.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

pub(super) fn measure(figures: &mut Figures, lasts: Duration) -> Result<()> {
    // As the service's threads do: whatever else the machine does must be in both their ways.
    #[cfg(target_os = "linux")]
    rustix::process::nice(NICE)?;
    // Whatever the system does by itself: what the service gains by huge pages is to show.
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for (name, threads) in [("one_core", 1), ("all_cores", cores)] {
        let before = cpu();
        let (rate, count) = together(threads, lasts)?;
        figures.insert(
            format!("argon2.{name}_cpu"),
            super::micros(cpu().saturating_sub(before), count),
        );
        figures.insert(format!("argon2.{name}_per_second"), rate);
    }
    Ok(())
}

/// Hashes per second of so many threads, and how many there were.
fn together(threads: usize, lasts: Duration) -> Result<(f64, u32)> {
    let one = move || -> Result<(u32, Duration)> {
        let params = Params::new(19_456, 2, 1, Some(32)).map_err(|error| anyhow!("{error}"))?;
        let mut memory = vec![Block::new(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut output = [0; 32];
        let mut hash = || {
            let done = argon2.hash_password_into_with_memory(
                b"correct horse battery",
                &[7; 16],
                &mut output,
                &mut memory,
            );
            black_box(&output);
            done.map_err(|error| anyhow!("{error}"))
        };
        hash()?;
        let (begun, mut count) = (Instant::now(), 0);
        while begun.elapsed() < lasts {
            hash()?;
            count += 1;
        }
        Ok((count, begun.elapsed()))
    };
    let running: Vec<_> = (0..threads).map(|_| thread::spawn(one)).collect();
    let (mut rate, mut all) = (0.0, threads_as_count(threads));
    for thread in running {
        let (count, took) = thread.join().map_err(|_| anyhow!("a thread panicked"))??;
        rate += f64::from(count) / took.as_secs_f64();
        all += count;
    }
    Ok((rate, all))
}

/// Each thread's first hash, which fills its memory, costs CPU time, too.
fn threads_as_count(threads: usize) -> u32 {
    u32::try_from(threads).unwrap_or(u32::MAX)
}
