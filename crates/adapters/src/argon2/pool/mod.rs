//! Threads that do nothing but hash, at a lower priority than the rest of the service. They share a budget of bytes and a queue, and what
//! can't be served in time is turned away at once.

mod estimator;
mod memory;
mod queue;

use super::hash::{
    compute::{STORE, unusable},
    cost::{HashCost, HasherError},
    demand::Demand,
};
use argon2::{Block, Params};
use memory::{Budget, Memory};
use queue::{Job, Queue, Ticket, Work};
use revolve_domain::ports::StoreError;
use std::{
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::timeout};

/// How much hashing may go on.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Hashes at once at most; one less than cores, so that one is left to the rest of the service. The budget may allow fewer.
    pub threads: Option<NonZeroUsize>,
    /// All memory that hashing may hold in bytes, what is kept for the next hash included.
    pub budget: u64,
    /// So long may somebody wait for a thread.
    pub patience: Duration,
    /// How much lower than the service's the threads' priority is, 0 to 19, where the system has priorities for threads (Linux).
    pub nice: u8,
}

impl Default for PoolConfig {
    /// A thread per core but one, 256 MiB, 5 s of patience, 10 lower.
    fn default() -> Self {
        Self {
            threads: None,
            budget: 256 << 20,
            patience: Duration::from_secs(5),
            nice: 10,
        }
    }
}

/// What the pool is doing: numbers for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStats {
    /// Hashes at once at most.
    pub threads: usize,
    /// Hashes that are being computed.
    pub busy: usize,
    /// How many wait for a thread.
    pub waiting: usize,
    /// How long somebody would wait who came now, as far as can be told.
    pub wait: Duration,
    /// How many were turned away since the start.
    pub refused: u64,
    /// The budget in bytes.
    pub budget: u64,
    /// Bytes of it that are in use or kept for the next hash.
    pub held: u64,
    /// The most that was held since the start.
    pub peak: u64,
}

/// So many hashes of this cost can be computed at once: one per core but one, which is left to the rest of the service, or `threads`, as far as the budget of bytes allows; at least one.
pub fn threads(threads: Option<NonZeroUsize>, cost: HashCost, budget: u64) -> NonZeroUsize {
    let others = || NonZeroUsize::new(std::thread::available_parallelism().ok()?.get() - 1);
    let wanted = threads.or_else(others).unwrap_or(NonZeroUsize::MIN);
    let room = usize::try_from(budget / cost.bytes().max(1)).unwrap_or(usize::MAX);
    NonZeroUsize::new(room).map_or(NonZeroUsize::MIN, |room| wanted.min(room))
}

/// The pool. Its threads end when it is dropped.
pub(super) struct Pool {
    shared: Arc<Shared>,
    patience: Duration,
    today: Demand,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Something has changed for those who have nothing to do.
    changed: Condvar,
}

impl Pool {
    /// Its budget must hold at least one hash with today's parameters.
    pub(super) fn start(config: &PoolConfig, today: &Params) -> Result<Self, HasherError> {
        let demand = Demand::of(today);
        let need = demand.bytes();
        if need > config.budget {
            return Err(HasherError::Budget {
                need,
                budget: config.budget,
            });
        }
        let cost = HashCost {
            memory_kib: today.m_cost(),
            passes: today.t_cost(),
            lanes: today.p_cost(),
        };
        let threads = threads(config.threads, cost, config.budget).get();
        let queue = Queue::new(
            threads,
            config.patience,
            Budget::new(config.budget, today.block_count()),
        );
        let shared = Arc::new(Shared {
            queue: Mutex::new(queue),
            changed: Condvar::new(),
        });
        let pool = Self {
            shared,
            patience: config.patience,
            today: demand,
        };
        for _ in 0..threads {
            let (shared, nice) = (Arc::clone(&pool.shared), config.nice);
            let serve = move || {
                step_back(nice);
                serve(&shared);
            };
            thread::Builder::new()
                .name("revolve-hash".to_owned())
                .spawn(serve)
                .map_err(HasherError::Thread)?;
        }
        Ok(pool)
    }

    /// Whether a hash with today's parameters would be let in.
    pub(super) fn admit(&self) -> Result<(), StoreError> {
        self.shared
            .queue()
            .admit(self.today, Instant::now())
            .map_err(|wait| overloaded("admit a password", wait))
    }

    /// Runs one piece of work, if its turn comes in time.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        demand: Demand,
        work: impl FnOnce(&mut [Block]) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        demand
            .within(self.shared.queue().budget().bytes())
            .map_err(unusable)?;
        let (answer, mut answered) = oneshot::channel();
        let work: Work = Box::new(move |memory| {
            let panicked = || Err(StoreError::broken(STORE, operation, "hashing panicked"));
            let result =
                catch_unwind(AssertUnwindSafe(|| work(memory))).unwrap_or_else(|_| panicked());
            // The caller may have gone away meanwhile.
            drop(answer.send(result));
        });
        let entered = self.shared.queue().enter(demand, work, Instant::now());
        let ticket = entered.map_err(|wait| overloaded(operation, wait))?;
        self.shared.changed.notify_one();
        let place = Place {
            shared: &self.shared,
            ticket,
        };
        let result = match timeout(self.patience, &mut answered).await {
            Ok(result) => result,
            Err(_) if place.leave() => {
                return Err(overloaded(operation, self.shared.refuse(demand)));
            }
            // It is being computed.
            Err(_) => answered.await,
        };
        result.unwrap_or_else(|_| {
            Err(StoreError::unavailable(
                STORE,
                operation,
                "the system has no memory for it, or the service stops",
            ))
        })
    }

    pub(super) fn stats(&self) -> PoolStats {
        let queue = self.shared.queue();
        let (counts, budget) = (queue.counts(), queue.budget());
        PoolStats {
            threads: counts.threads,
            busy: counts.busy,
            waiting: counts.waiting,
            wait: queue.wait(self.today.space, Instant::now()),
            refused: counts.refused,
            budget: budget.bytes(),
            held: budget.held(),
            peak: budget.peak(),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue().close();
        self.shared.changed.notify_all();
    }
}

/// A caller's place in the queue: whoever goes away leaves it.
struct Place<'a> {
    shared: &'a Shared,
    ticket: Ticket,
}

impl Place<'_> {
    fn leave(&self) -> bool {
        self.shared.leave(self.ticket)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, ticket: Ticket) -> bool {
        let left = self.queue().leave(ticket);
        if left {
            // The next one may fit where the first did not.
            self.changed.notify_all();
        }
        left
    }

    /// Counts a refusal; after how long there would be time.
    fn refuse(&self, demand: Demand) -> Duration {
        let mut queue = self.queue();
        queue.refuse();
        queue.wait(demand.space, Instant::now())
    }
}

fn overloaded(operation: &'static str, wait: Duration) -> StoreError {
    StoreError::unavailable(
        STORE,
        operation,
        "more passwords wait to be hashed than can be in time",
    )
    .retry_after(wait)
}

fn serve(shared: &Shared) {
    let mut queue = shared.queue();
    while !queue.is_closed() {
        let now = Instant::now();
        let Some((job, reserved)) = queue.begin(now) else {
            queue = shared
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(queue);
        let Job {
            ticket,
            demand,
            work,
        } = job;
        let (mut memory, took) = match Memory::allocate(reserved) {
            Ok(mut memory) => {
                work(memory.blocks(demand.space));
                (memory, Some(now.elapsed()))
            }
            Err(nothing) => {
                tracing::error!(
                    bytes = demand.bytes(),
                    "the system has no memory for a hash"
                );
                drop(work);
                (nothing, None)
            }
        };
        queue = shared.queue();
        // Wiping takes a twentieth of a hash's time. In the same hold of the queue the next one begins, in this memory.
        if !queue.writes_over(demand.space) {
            drop(queue);
            memory.wipe(demand.space);
            queue = shared.queue();
        }
        queue.end(ticket, memory, took);
        // There is memory again, perhaps for several.
        shared.changed.notify_all();
    }
}

/// The cores are the rest of the service's first: who refreshes waits for nobody's password.
fn step_back(nice: u8) {
    // Elsewhere than on Linux it would be the whole process's.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(nice.into()) {
        tracing::warn!(%error, "hashing threads keep the priority of the service");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = nice;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn wiped(blocks: &[Block]) -> bool {
        blocks
            .iter()
            .all(|block| block.as_ref().iter().all(|&word| word == 0))
    }

    #[tokio::test]
    async fn memory_is_wiped_unless_the_next_in_line_writes_over_all_of_it() {
        let today = Params::new(64, 1, 1, None).unwrap();
        let config = PoolConfig {
            threads: NonZeroUsize::new(1),
            budget: 1 << 20,
            ..PoolConfig::default()
        };
        let pool = Pool::start(&config, &today).unwrap();
        let (usual, small) = (
            Demand::of(&today),
            Demand::of(&Params::new(32, 1, 1, None).unwrap()),
        );
        for (next, handed_on) in [(usual, true), (small, false)] {
            let (release, held) = mpsc::channel::<()>();
            let first = pool.run("write", usual, move |blocks| {
                let _ = held.recv();
                for block in blocks {
                    block.as_mut().fill(1);
                }
                Ok(())
            });
            let next = pool.run("look", next, |blocks| Ok(wiped(blocks)));
            let let_go = async {
                while pool.stats().waiting == 0 {
                    tokio::task::yield_now().await;
                }
                drop(release);
            };
            let (first, next, ()) = tokio::join!(first, next, let_go);
            first.unwrap();
            assert_eq!(next.unwrap(), !handed_on);
            // Whoever comes when nobody waits any more finds nothing.
            while pool.stats().busy > 0 {
                tokio::task::yield_now().await;
            }
            assert!(
                pool.run("look", usual, |blocks| Ok(wiped(blocks)))
                    .await
                    .unwrap()
            );
        }
    }
}
