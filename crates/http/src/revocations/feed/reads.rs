//! What was read of the user database, put together: each read asks only for what the one before has not seen.

use revolve_domain::{
    ports::StoreError,
    revocations::{RevocationLog, RevocationRead},
    use_cases::RevocationFeed,
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

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
    /// A read of the whole window that was made beside the others.
    whole: Option<RevocationRead>,
}

impl Reads {
    /// Reads what is new. After a failure the next read is whole: the database may be another one.
    pub(super) async fn read(&self, use_case: &RevocationFeed) -> Result<(), StoreError> {
        let (known, again) = {
            let mut state = self.state();
            if let Some(whole) = state.whole.take() {
                // What came since is read right after.
                match &mut state.log {
                    Some(log) => log.apply(whole),
                    none => *none = Some(RevocationLog::new(whole)),
                }
            }
            let log = state.log.as_ref();
            let now = use_case.now();
            (
                log.and_then(|log| log.known(now)).cloned(),
                log.is_some_and(|log| log.is_to_be_read_again(now)),
            )
        };
        if again {
            self.again.notify_one();
        }
        match use_case.execute(known.as_ref()).await {
            Ok(read) => {
                let mut state = self.state();
                match &mut state.log {
                    Some(log) => log.apply(read),
                    none => *none = Some(RevocationLog::new(read)),
                }
                Ok(())
            }
            Err(error) => {
                // A log of before would go on from commits that may never have been.
                *self.state() = State::default();
                Err(error)
            }
        }
    }

    /// Reads everything again when that is due, beside the reads of what is new, which it must not hold up.
    pub(super) async fn keep_whole(&self, use_case: &RevocationFeed) {
        loop {
            self.again.notified().await;
            if let Ok(read) = use_case.execute(None).await {
                self.state().whole = Some(read);
            }
        }
    }

    /// Does something with what is known; `None` before the first read and after one that failed.
    pub(super) fn with<T>(&self, work: impl FnOnce(&RevocationLog) -> T) -> Option<T> {
        self.state().log.as_ref().map(work)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
