//! Permits that are given in the order of a fair queue.

use super::{FairQueue, TakenShare, Ticket, average::MovingAverage};
use revolve_domain::ports::HashFlow;
use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::timeout};

/// Most that wait, of known clients and of strangers each, whatever the estimate: each has a request in memory.
const MAX_WAITING: usize = 2048;

/// A semaphore that nobody waits for longer than a while.
pub(crate) struct FairSemaphore {
    shared: Arc<Shared>,
    patience: Duration,
}

/// Gives the place to the next one when it is dropped.
pub(crate) struct Permit {
    shared: Arc<Shared>,
    share: TakenShare,
    since: Instant,
}

struct Shared {
    permits: NonZeroUsize,
    state: Mutex<State>,
}

struct State {
    waiting: FairQueue<oneshot::Sender<Permit>>,
    free: usize,
    /// How long a permit is held, in seconds.
    held: MovingAverage,
}

impl FairSemaphore {
    /// `patience` is the longest wait.
    pub(crate) fn new(permits: NonZeroUsize, patience: Duration) -> Self {
        let state = State {
            waiting: FairQueue::new(permits.get(), MAX_WAITING),
            free: permits.get(),
            held: MovingAverage::default(),
        };
        Self {
            shared: Arc::new(Shared {
                permits,
                state: Mutex::new(state),
            }),
            patience,
        }
    }

    /// Waits for a permit. If the estimated wait is too long, it is the error at once.
    pub(crate) async fn acquire(&self, flow: &HashFlow) -> Result<Permit, Duration> {
        let (give, given) = oneshot::channel();
        let mut place = WaitingPlace {
            ticket: self.enter(flow, give)?,
            shared: &self.shared,
            given,
        };
        if let Ok(Ok(permit)) = timeout(self.patience, &mut place.given).await {
            return Ok(permit);
        }
        // Its patience is over, or another needed its place.
        drop(place);
        Err(self.shared.wait(&self.shared.state(), flow))
    }

    fn enter(&self, flow: &HashFlow, give: oneshot::Sender<Permit>) -> Result<Ticket, Duration> {
        let mut state = self.shared.state();
        let wait = self.shared.wait(&state, flow);
        if wait > self.patience || !state.waiting.has_place(flow) {
            return Err(wait);
        }
        let (ticket, displaced) = state.waiting.push(flow, give);
        let next = state.next();
        drop(state);
        // It is told by its channel, which closes.
        drop(displaced);
        self.shared.give(next);
        Ok(ticket)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The estimated wait of one that comes now.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn wait(&self, state: &State, flow: &HashFlow) -> Duration {
        if state.free > 0 {
            return Duration::ZERO;
        }
        let turns = (state.waiting.ahead(flow) + 1) as f64 / self.permits.get() as f64;
        let seconds = turns * state.held.get().unwrap_or_default();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Without the lock: a permit that nobody takes any more is dropped, and locks it.
    fn give(self: &Arc<Self>, next: Option<(oneshot::Sender<Permit>, TakenShare)>) {
        if let Some((give, share)) = next {
            drop(give.send(Permit {
                shared: Arc::clone(self),
                share,
                since: Instant::now(),
            }));
        }
    }
}

impl State {
    /// The next one, if a permit is free.
    fn next(&mut self) -> Option<(oneshot::Sender<Permit>, TakenShare)> {
        let free = self.free.checked_sub(1)?;
        let (ticket, _) = self.waiting.first()?;
        let begun = self.waiting.begin(ticket)?;
        self.free = free;
        Some(begun)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.held.add(self.since.elapsed().as_secs_f64());
        state.waiting.end(self.share);
        state.free += 1;
        let next = state.next();
        drop(state);
        self.shared.give(next);
    }
}

/// A place in the queue, which is left when this is dropped. A permit that came meanwhile is dropped with its channel.
struct WaitingPlace<'a> {
    ticket: Ticket,
    shared: &'a Shared,
    given: oneshot::Receiver<Permit>,
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        self.shared.state().waiting.remove(self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use revolve_domain::model::EmailAddress;
    use std::future::poll_fn;

    fn flow(name: &str) -> HashFlow {
        HashFlow {
            account: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
            address: None,
            known: false,
        }
    }

    fn semaphore(patience: Duration) -> FairSemaphore {
        FairSemaphore::new(NonZeroUsize::MIN, patience)
    }

    fn waiting(semaphore: &FairSemaphore) -> usize {
        semaphore.shared.state().waiting.len()
    }

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn permits_are_given_in_turn_and_never_too_many() {
        let semaphore = semaphore(LONG);
        let held = semaphore.acquire(&flow("first")).await.unwrap();
        let served = Mutex::new(Vec::new());
        let serve = async |name: &'static str| {
            let _permit = semaphore.acquire(&flow(name)).await.unwrap();
            assert_eq!(semaphore.shared.state().free, 0);
            served.lock().unwrap().push(name);
        };
        let flood = join_all((0..50).map(|_| serve("flood")));
        let release = async {
            while waiting(&semaphore) < 51 {
                tokio::task::yield_now().await;
            }
            drop(held);
        };
        tokio::join!(flood, serve("ann"), release);
        let served = served.into_inner().unwrap();
        assert_eq!(served.len(), 51);
        assert!(served[..2].contains(&"ann"), "{served:?}");
        assert_eq!(semaphore.shared.state().free, 1);
    }

    #[tokio::test]
    async fn who_goes_away_leaves_the_queue_and_loses_no_permit() {
        let semaphore = semaphore(LONG);
        let ann = flow("ann");
        let held = semaphore.acquire(&ann).await.unwrap();
        let mut before = Box::pin(semaphore.acquire(&ann));
        let mut given = Box::pin(semaphore.acquire(&ann));
        poll_fn(|context| {
            assert!(before.as_mut().poll(context).is_pending());
            assert!(given.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        assert_eq!(waiting(&semaphore), 2);
        drop(before);
        assert_eq!(waiting(&semaphore), 1);
        drop(held);
        assert_eq!(semaphore.shared.state().free, 0, "it was given away");
        drop(given);
        assert_eq!(semaphore.shared.state().free, 1, "and is given back");
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_refused_at_once_and_others_are_not() {
        let patience = Duration::from_millis(100);
        let semaphore = semaphore(patience);
        semaphore.shared.state().held.add(0.03);
        let _held = semaphore.acquire(&flow("bob")).await.unwrap();
        let (begun, ann) = (Instant::now(), flow("ann"));
        let refused = join_all((0..5).map(|_| semaphore.acquire(&ann))).await;
        let waits = refused.into_iter().map(|refused| refused.err().unwrap());
        let at_once: Vec<_> = waits.filter(|wait| *wait > patience).collect();
        assert_eq!(at_once.len(), 2, "the fourth would wait for 120 ms");
        assert!(begun.elapsed() >= patience, "the others wait in vain");
        assert_eq!(waiting(&semaphore), 0);
    }
}
