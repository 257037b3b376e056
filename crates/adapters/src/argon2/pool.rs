//! Threads that do nothing but hash, each with memory that it reuses and wipes. The queue in front of them is bounded, and
//! what can't be served before its deadline is turned away at once.

use super::STORE;
use argon2::Block;
use revolve_domain::ports::StoreError;
use std::{
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use zeroize::Zeroize;

/// How much hashing may go on.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Threads: that many hashes at once, each with the memory of one.
    pub threads: NonZeroUsize,
    /// So many may wait.
    pub queue: usize,
    /// So long may they wait.
    pub patience: Duration,
}

impl Default for PoolConfig {
    /// A thread per core, 64 waiting per thread, 5 s of patience.
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { threads, queue: threads.get() * 64, patience: Duration::from_secs(5) }
    }
}

type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

struct Job {
    work: Work,
    deadline: Instant,
}

/// The pool. Its threads end when it is dropped.
pub(super) struct Pool {
    queue: mpsc::SyncSender<Job>,
    patience: Duration,
}

impl Pool {
    pub(super) fn start(config: PoolConfig) -> Self {
        let (queue, jobs) = mpsc::sync_channel::<Job>(config.queue);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..config.threads.get() {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || serve(&jobs));
        }
        Self { queue, patience: config.patience }
    }

    /// Runs one piece of work. Work whose caller went away or whose deadline passed is not begun.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Vec<Block>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let work = Box::new(move |memory: &mut Vec<Block>| {
            if !answer.is_closed() {
                // The caller may have gone away meanwhile.
                drop(answer.send(work(memory)));
            }
        });
        let job = Job { work, deadline: Instant::now() + self.patience };
        self.queue.try_send(job).map_err(|_| StoreError::unavailable(STORE, operation, "too many passwords wait to be hashed"))?;
        match answered.await {
            Ok(result) => result,
            Err(_) => Err(StoreError::unavailable(STORE, operation, "the password was not hashed in time")),
        }
    }
}

fn serve(jobs: &Mutex<mpsc::Receiver<Job>>) {
    let mut memory: Vec<Block> = Vec::new();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { work, deadline }) = job else { return };
        if Instant::now() < deadline {
            // A panic drops the answer's sender: the caller hears of a failure, the thread lives on.
            drop(catch_unwind(AssertUnwindSafe(|| work(&mut memory))));
            // Wiped in place: the allocation stays.
            memory.iter_mut().for_each(Zeroize::zeroize);
        }
    }
}
