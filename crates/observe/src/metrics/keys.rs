//! The keys that sign tokens, as they were last loaded.

use super::{Gauges, Metrics, gauges::lossy};
use revolve_domain::{
    keys::{KeyState, KeyUse, StoredKey},
    model::Timestamp,
    ports::{KeyFault, KeyRing},
};
use std::sync::{Arc, Mutex, PoisonError};

/// A key as the metrics report it.
#[derive(Clone, Copy)]
struct KeySample {
    usage: KeyUse,
    state: KeyState,
    since: f64,
}

type List = Arc<Mutex<Vec<KeySample>>>;

/// Hands keys on to the ring, and remembers how many there are of which state.
pub struct CountedRing<R> {
    next: Arc<R>,
    seen: List,
}

impl<R> CountedRing<R> {
    /// Passes keys to `next` and shows them in `metrics`.
    pub fn new(next: Arc<R>, metrics: &Metrics) -> Self {
        let seen = List::default();
        let (counted, dated) = (Arc::clone(&seen), Arc::clone(&seen));
        metrics.watch(
            Gauges::new()
                .gauge("keys", "Keys in the user database by use (id, refresh) and state (next, active, retired)", move || {
                    let seen = look(&counted);
                    of_each(|usage, state| Some(lossy(seen.iter().filter(|key| key.usage == usage && key.state == state).count())))
                })
                .gauge(
                    "key_since_timestamp_seconds",
                    "Since when the newest key of this use and state is in it, in Unix time",
                    move || {
                        let seen = look(&dated);
                        of_each(|usage, state| {
                            seen.iter().filter(|key| key.usage == usage && key.state == state).map(|key| key.since).reduce(f64::max)
                        })
                    },
                ),
        );
        Self { next, seen }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "whole seconds are exact for a while yet"
)]
fn seconds(at: Timestamp) -> f64 {
    at.as_seconds() as f64
}

fn look(seen: &List) -> Vec<KeySample> {
    seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A value for every use and state, where there is one.
fn of_each(
    value: impl Fn(KeyUse, KeyState) -> Option<f64>,
) -> Vec<(Vec<(&'static str, &'static str)>, f64)> {
    let mut values = Vec::new();
    for usage in [KeyUse::Id, KeyUse::Refresh] {
        for state in [KeyState::Next, KeyState::Active, KeyState::Retired] {
            values.extend(
                value(usage, state)
                    .map(|value| (vec![("use", usage.name()), ("state", state.name())], value)),
            );
        }
    }
    values
}

impl<R: KeyRing> KeyRing for CountedRing<R> {
    fn load(&self, keys: &[StoredKey]) -> Result<(), KeyFault> {
        self.next.load(keys)?;
        let seen = keys.iter().map(|key| KeySample {
            usage: key.kind.usage(),
            state: key.phase.state(),
            since: seconds(key.phase.since()),
        });
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen.collect();
        Ok(())
    }
}
