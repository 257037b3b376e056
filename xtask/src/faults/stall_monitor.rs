//! How long the machine itself stood still: on a machine that is shared with other work the service must not be blamed for that.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

const INTERVAL: Duration = Duration::from_millis(50);
/// A wake-up that is later than this, or a sync of a few bytes that takes longer, is a stall.
const USUAL: Duration = Duration::from_millis(100);

/// A thread that measures stalls until this is dropped.
pub(super) struct StallMonitor {
    /// In microseconds.
    stalled: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl StallMonitor {
    /// Starts it, with a file in this folder to sync.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let monitor = Self {
            stalled: Arc::default(),
            stop: Arc::default(),
        };
        let (stalled, stop) = (Arc::clone(&monitor.stalled), Arc::clone(&monitor.stop));
        let mut file = File::create(folder.join("stalls")).context("no file can be made")?;
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                thread::park_timeout(INTERVAL);
                let woken = Instant::now();
                // A sync that fails is no stall.
                let synced = file
                    .seek(SeekFrom::Start(0))
                    .and_then(|_| file.write_all(b"beat"))
                    .and_then(|()| file.sync_data());
                drop(synced);
                let late = stall(woken - begun, INTERVAL + USUAL) + stall(woken.elapsed(), USUAL);
                stalled.fetch_add(
                    u64::try_from(late.as_micros()).unwrap_or(u64::MAX),
                    Ordering::Relaxed,
                );
            }
        });
        Ok(monitor)
    }

    /// All stalls so far together.
    pub(super) fn stalled(&self) -> Duration {
        Duration::from_micros(self.stalled.load(Ordering::Relaxed))
    }
}

impl Drop for StallMonitor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn stall(took: Duration, usual: Duration) -> Duration {
    took.saturating_sub(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_in_time_is_no_stall() {
        assert_eq!(stall(USUAL, USUAL), Duration::ZERO);
        assert_eq!(stall(USUAL * 3, USUAL), USUAL * 2);
    }
}
