//! Threads that only hash, at a lower priority than the rest of the service. They share a memory budget and a queue; what can't be served in
//! time is refused at once.

mod estimator;
mod memory;
mod queue;

use super::hash::{
    compute::STORE,
    cost::{HashCost, HasherError},
    demand::HashDemand,
};
use crate::fair_queue::Ticket;
use argon2::Block;
use memory::{MemoryBudget, WorkMemory};
use queue::{HashTask, Queue, QueuedJob};
use revolve_domain::ports::{HashFlow, StoreError};
use std::{
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::timeout};

const OVERLOAD: &str = "more passwords wait to be hashed than can be in time";

/// Enough for a thread that has computed a hash to wipe its memory and to take the next job, and for an idle one to wake up, on a busy
/// machine. More is needed only if others came in this moment and are served first.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Limits of hashing.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Most hashes at once. The default is one less than cores, which leaves one to the rest of the service; the budget may allow fewer.
    pub threads: Option<NonZeroUsize>,
    /// Memory for hashing in bytes, including what is kept for later hashes.
    pub budget: u64,
    /// Longest wait for a thread.
    pub patience: Duration,
    /// Added to the threads' nice value, 0 to 19. Linux only.
    pub nice: u8,
}

impl Default for PoolConfig {
    /// A thread per core but one, 256 MiB, 5 s of patience, a nice value of 10.
    fn default() -> Self {
        Self {
            threads: None,
            budget: 256 << 20,
            patience: Duration::from_secs(5),
            nice: 10,
        }
    }
}

/// The pool's state, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStats {
    /// Most hashes at once.
    pub threads: usize,
    /// Hashes that are being computed.
    pub busy: usize,
    /// Hashes that wait for a thread.
    pub waiting: usize,
    /// Hashes refused since the start.
    pub refused: u64,
    /// The budget in bytes.
    pub budget: u64,
    /// Bytes in use or kept for later hashes.
    pub held: u64,
    /// The most bytes held since the start.
    pub peak: u64,
}

/// How many hashes of this cost are computed at once: `threads`, or one per core but one, as far as the budget in bytes allows; at least one.
pub fn threads(threads: Option<NonZeroUsize>, cost: HashCost, budget: u64) -> NonZeroUsize {
    let others = || NonZeroUsize::new(std::thread::available_parallelism().ok()?.get() - 1);
    let wanted = threads.or_else(others).unwrap_or(NonZeroUsize::MIN);
    let room = usize::try_from(budget / cost.bytes().max(1)).unwrap_or(usize::MAX);
    NonZeroUsize::new(room).map_or(NonZeroUsize::MIN, |room| wanted.min(room))
}

/// Its threads end when it is dropped.
pub(super) struct HashingPool {
    shared: Arc<SharedQueue>,
    patience: Duration,
    current: HashDemand,
}

struct SharedQueue {
    queue: Mutex<Queue>,
    /// Wakes idle threads.
    changed: Condvar,
}

impl HashingPool {
    /// The budget must hold at least one hash of this cost.
    pub(super) fn start(config: &PoolConfig, cost: HashCost) -> Result<Self, HasherError> {
        let params = cost.params()?;
        let demand = HashDemand::of(&params);
        let need = demand.bytes();
        if need > config.budget {
            return Err(HasherError::Budget {
                need,
                budget: config.budget,
            });
        }
        let threads = threads(config.threads, cost, config.budget).get();
        let queue = Queue::new(
            threads,
            config.patience,
            MemoryBudget::new(config.budget, params.block_count()),
        );
        let shared = Arc::new(SharedQueue {
            queue: Mutex::new(queue),
            changed: Condvar::new(),
        });
        let pool = Self {
            shared,
            patience: config.patience,
            current: demand,
        };
        for _ in 0..threads {
            let (shared, nice) = (Arc::clone(&pool.shared), config.nice);
            let serve = move || {
                lower_priority(nice);
                serve(&shared);
            };
            thread::Builder::new()
                .name("revolve-hash".to_owned())
                .spawn(serve)
                .map_err(HasherError::Thread)?;
        }
        Ok(pool)
    }

    /// Refuses if a new hash would be refused now.
    pub(super) fn admit(&self, flow: &HashFlow) -> Result<(), StoreError> {
        self.shared
            .queue()
            .admit(flow, self.current, Instant::now())
            .map_err(|wait| overloaded("admit a password", wait))
    }

    /// Runs `work` on a thread, unless the wait is too long. What it demands must be within the budget.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        flow: &HashFlow,
        operation: &'static str,
        demand: HashDemand,
        work: impl FnOnce(&mut [Block]) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (task, answered) = task(operation, work);
        let now = Instant::now();
        let entered = self.shared.queue().enter(flow, demand, task, now);
        let ticket = entered.map_err(|wait| overloaded(operation, wait))?;
        let done = self.wait(ticket, answered, self.patience).await;
        done.unwrap_or_else(|reason| {
            let wait = self.shared.refuse(flow, demand);
            Err(StoreError::unavailable(STORE, operation, reason).retry_after(wait))
        })
    }

    /// Runs `work` like [`Self::run`] if it begins at once.
    pub(super) async fn try_run<T: Send + 'static>(
        &self,
        flow: &HashFlow,
        operation: &'static str,
        demand: HashDemand,
        work: impl FnOnce(&mut [Block]) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let (task, answered) = task(operation, work);
        let entered = self.shared.queue().enter_idle(flow, demand, task);
        let Some(ticket) = entered else {
            return Ok(None);
        };
        let done = self.wait(ticket, answered, AT_ONCE).await;
        done.ok().transpose()
    }

    /// Waits for a job that has entered the queue. If it does not begin within the patience, it has left, and the error says why.
    async fn wait<T>(
        &self,
        ticket: Ticket,
        mut answered: Answered<T>,
        patience: Duration,
    ) -> Result<Result<T, StoreError>, &'static str> {
        self.shared.changed.notify_one();
        let place = QueuePlace {
            shared: &self.shared,
            ticket,
        };
        let answer = match timeout(patience, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if place.leave() => return Err(OVERLOAD),
            // It is being computed already.
            Err(_) => answered.await,
        };
        answer.map_err(|_| {
            "others needed its place in the queue, the system has no memory for it, or the service stops"
        })
    }

    pub(super) fn stats(&self) -> PoolStats {
        let queue = self.shared.queue();
        let (counts, budget) = (queue.counts(), queue.budget());
        PoolStats {
            threads: counts.threads,
            busy: counts.busy,
            waiting: counts.waiting,
            refused: counts.refused,
            budget: budget.bytes(),
            held: budget.held(),
            peak: budget.peak(),
        }
    }
}

impl Drop for HashingPool {
    fn drop(&mut self) {
        self.shared.queue().close();
        self.shared.changed.notify_all();
    }
}

type Answered<T> = oneshot::Receiver<Result<T, StoreError>>;

/// What a thread is to do, and where its result comes.
fn task<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce(&mut [Block]) -> Result<T, StoreError> + Send + 'static,
) -> (HashTask, Answered<T>) {
    let (answer, answered) = oneshot::channel();
    let task: HashTask = Box::new(move |memory| {
        let panicked = || Err(StoreError::broken(STORE, operation, "hashing panicked"));
        let result = catch_unwind(AssertUnwindSafe(|| work(memory))).unwrap_or_else(|_| panicked());
        // The caller may have gone away meanwhile.
        Box::new(move || drop(answer.send(result)))
    });
    (task, answered)
}

/// A caller's place in the queue, which it leaves when it is dropped.
struct QueuePlace<'a> {
    shared: &'a SharedQueue,
    ticket: Ticket,
}

impl QueuePlace<'_> {
    fn leave(&self) -> bool {
        let left = self.shared.queue().leave(self.ticket);
        if left {
            // The next job may need less memory than this one.
            self.shared.changed.notify_all();
        }
        left
    }
}

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl SharedQueue {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal, and returns the estimated wait.
    fn refuse(&self, flow: &HashFlow, demand: HashDemand) -> Duration {
        let mut queue = self.queue();
        queue.refuse();
        queue.wait(flow, demand.memory, Instant::now())
    }
}

fn overloaded(operation: &'static str, wait: Duration) -> StoreError {
    StoreError::unavailable(STORE, operation, OVERLOAD).retry_after(wait)
}

fn serve(shared: &SharedQueue) {
    let mut queue = shared.queue();
    while !queue.is_closed() {
        let now = Instant::now();
        let Some((ticket, job, reserved)) = queue.begin(now) else {
            queue = shared
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(queue);
        let QueuedJob { demand, work } = job;
        let mut memory = match WorkMemory::allocate(reserved) {
            Ok(mut memory) => {
                let answer = work(memory.blocks(demand.memory));
                // Before the caller knows: it may ask next whether a thread is idle.
                shared.queue().computed(ticket, now.elapsed());
                answer();
                memory
            }
            Err(nothing) => {
                tracing::error!(
                    bytes = demand.bytes(),
                    "the system has no memory for a hash"
                );
                drop(work);
                nothing
            }
        };
        queue = shared.queue();
        // Wiping takes a twentieth of a hash's time. Without it this thread takes the next job before it unlocks the queue, and so in this
        // memory.
        if !queue.next_overwrites(demand.memory) {
            drop(queue);
            memory.wipe(demand.memory);
            queue = shared.queue();
        }
        queue.end(ticket, memory);
        // There may be memory for several jobs now.
        shared.changed.notify_all();
    }
}

/// So that a refresh does not wait for hashing.
fn lower_priority(nice: u8) {
    // On other systems it applies to the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(nice.into()) {
        tracing::warn!(%error, "hashing threads keep the priority of the service");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = nice;
}

#[cfg(test)]
mod tests;
