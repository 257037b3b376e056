//! What was read of the user database, put together: each read asks only for what the one before has not seen.

use revolve_domain::{
    model::Timestamp,
    ports::StoreError,
    revocations::{FeedVersion, RevocationLog, RevocationRead},
    use_cases::RevocationFeed,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// Readers of deltas are told of new versions no more often, so that many of them are told the same.
const TICK: Duration = Duration::from_millis(250);

/// The reads so far.
#[derive(Default)]
pub(super) struct Reads {
    state: Mutex<State>,
    /// It is time to read everything again.
    again: Notify,
}

#[derive(Default)]
struct State {
    log: Option<RevocationLog>,
    /// Counts the changes of its content.
    revision: u64,
    /// A read of the whole window that was made beside the others.
    whole: Option<RevocationRead>,
    /// The version that deltas lead to, and since when.
    tick: Option<(Instant, FeedVersion)>,
}

impl Reads {
    /// Reads what is new. After a failure the next read is whole: the database may be another one. Answers the number of changes so
    /// far.
    pub(super) async fn read(&self, use_case: &RevocationFeed) -> Result<u64, StoreError> {
        let now = use_case.now();
        let (known, whole) = {
            let mut state = self.state();
            let whole = state.whole.take().map(RevocationLog::new);
            let log = whole.as_ref().or(state.log.as_ref());
            if log.is_some_and(|log| is_due(log, now)) {
                self.again.notify_one();
            }
            (log.and_then(|log| log.known(now)).cloned(), whole)
        };
        let read = use_case.execute(known.as_ref()).await;
        let mut state = self.state();
        let State { log, revision, .. } = &mut *state;
        match read {
            Ok(read) => {
                // One that is whole and what came since take effect together.
                let replaced = whole.is_some();
                if replaced {
                    *log = whole;
                }
                let changed = match log {
                    Some(log) => log.apply(read),
                    none => {
                        *none = Some(RevocationLog::new(read));
                        true
                    }
                };
                *revision += u64::from(changed || replaced);
                Ok(*revision)
            }
            Err(error) => {
                // A log of before would go on from commits that may never have been.
                (state.log, state.whole, state.tick) = (None, None, None);
                Err(error)
            }
        }
    }

    /// Reads everything again when that is due, beside the reads of what is new, which it must not hold up.
    pub(super) async fn keep_whole(&self, use_case: &RevocationFeed) {
        loop {
            self.again.notified().await;
            // A look may have asked while the last whole read was under way.
            let is_due = {
                let state = self.state();
                let log = state.log.as_ref().filter(|_| state.whole.is_none());
                log.is_some_and(|log| is_due(log, use_case.now()))
            };
            if !is_due {
                continue;
            }
            // The other reads tell of failures.
            if let Ok(read) = use_case.execute(None).await {
                self.state().whole = Some(read);
            }
        }
    }

    /// Does something with what is known; `None` before the first read and after one that failed.
    pub(super) fn with<T>(&self, work: impl FnOnce(&RevocationLog) -> T) -> Option<T> {
        self.state().log.as_ref().map(work)
    }

    /// Does something with what is known and the version that deltas lead to: the newest if that is asked for, else one that is a
    /// little older.
    pub(super) fn with_tick<T>(
        &self,
        newest: bool,
        work: impl FnOnce(&RevocationLog, &FeedVersion) -> T,
    ) -> Option<T> {
        let mut state = self.state();
        let State { log, tick, .. } = &mut *state;
        let log = log.as_ref()?;
        let is_due = tick.as_ref().is_none_or(|(since, version)| {
            newest
                || since.elapsed() >= TICK
                || version.snapshot.source() != log.version().snapshot.source()
        });
        if is_due {
            *tick = Some((Instant::now(), log.version().clone()));
        }
        let (_, version) = tick.as_ref()?;
        Some(work(log, version))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether everything is to be read again beside the next read: not if that one is whole itself, as after a pause.
fn is_due(log: &RevocationLog, now: Timestamp) -> bool {
    log.is_to_be_read_again(now) && log.known(now).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use revolve_testkit::World;

    #[tokio::test(start_paused = true)]
    async fn everything_is_read_again_in_time_and_after_a_pause_only_once() {
        let (world, reads) = (World::new(), Reads::default());
        let use_case = &world.revocation_feed;
        let read = async |after: Duration| {
            world.advance(after);
            reads
                .read(use_case)
                .await
                .expect("the user database answers");
            reads.again.notified().now_or_never().is_some()
        };
        assert!(!read(Duration::ZERO).await, "everything was read");
        for _ in 0..4 {
            assert!(!read(Duration::from_mins(1)).await);
        }
        assert!(read(Duration::from_mins(1)).await, "it is time");
        // The next read is whole itself.
        assert!(!read(Duration::from_mins(10)).await);
    }
}
