//! How long the machine itself stood still: a run that shares it with other work must not blame the service for that.

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

const EVERY: Duration = Duration::from_millis(50);
/// A beat that is later than this, or a sync of a few bytes that takes longer, is a stall.
const USUAL: Duration = Duration::from_millis(100);

/// Beats until it is dropped.
pub(super) struct Pulse {
    stalled: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Pulse {
    /// Begins to beat, with a file in that folder to sync.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let pulse = Self {
            stalled: Arc::default(),
            stop: Arc::default(),
        };
        let (stalled, stop) = (Arc::clone(&pulse.stalled), Arc::clone(&pulse.stop));
        let mut file = File::create(folder.join("pulse")).context("no file can be made")?;
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                thread::park_timeout(EVERY);
                let beat = Instant::now();
                // What can't be synced is no stall.
                let synced = file
                    .seek(SeekFrom::Start(0))
                    .and_then(|_| file.write_all(b"beat"))
                    .and_then(|()| file.sync_data());
                drop(synced);
                let late = stall(beat - begun, EVERY + USUAL) + stall(beat.elapsed(), USUAL);
                stalled.fetch_add(
                    u64::try_from(late.as_micros()).unwrap_or(u64::MAX),
                    Ordering::Relaxed,
                );
            }
        });
        Ok(pulse)
    }

    /// For how long it stood still so far, all stalls together.
    pub(super) fn stalled(&self) -> Duration {
        Duration::from_micros(self.stalled.load(Ordering::Relaxed))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What counts of a beat: nothing if it was in time, else all of it beyond that.
fn stall(took: Duration, usual: Duration) -> Duration {
    took.saturating_sub(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_in_time_is_no_stall() {
        assert_eq!(stall(USUAL, USUAL), Duration::ZERO);
        assert_eq!(stall(USUAL * 3, USUAL), USUAL * 2);
    }
}
