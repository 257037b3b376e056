//! Jobs that wait for a thread. A job whose estimated wait exceeds the patience is refused at once, with the estimate.

use super::{
    estimator::TimeEstimator,
    fair_queue::{FairQueue, TakenShare, Ticket},
    memory::{MemoryBudget, Reservation, WorkMemory},
};
use crate::argon2::hash::demand::{HashDemand, MemoryDemand};
use argon2::Block;
use revolve_domain::ports::HashFlow;
use std::time::{Duration, Instant};

/// Most jobs that wait, of known clients and of strangers each, whatever the estimate: each has a request in memory.
const MAX_WAITING: usize = 2048;

/// Computes a hash and sends it to the caller, who is told if it is dropped instead.
pub(super) type HashTask = Box<dyn FnOnce(&mut [Block]) + Send>;

pub(super) struct QueuedJob {
    pub(super) demand: HashDemand,
    pub(super) work: HashTask,
}

struct RunningJob {
    ticket: Ticket,
    place: TakenShare,
    demand: HashDemand,
    since: Instant,
}

pub(super) struct Queue {
    threads: usize,
    patience: Duration,
    budget: MemoryBudget,
    estimator: TimeEstimator,
    waiting: FairQueue<QueuedJob>,
    running: Vec<RunningJob>,
    refused: u64,
    closed: bool,
}

impl Queue {
    pub(super) fn new(threads: usize, patience: Duration, budget: MemoryBudget) -> Self {
        Self {
            threads,
            patience,
            budget,
            estimator: TimeEstimator::default(),
            waiting: FairQueue::new(threads, MAX_WAITING),
            running: Vec::new(),
            refused: 0,
            closed: false,
        }
    }

    /// The estimated wait of a job of this flow that comes now: the time of all that is served before it, spread over the threads, or
    /// over the budget where a hash takes a larger share of that.
    pub(super) fn wait(&self, flow: &HashFlow, memory: MemoryDemand, now: Instant) -> Duration {
        if self.waiting.is_empty()
            && self.running.len() < self.threads
            && self.budget.has_room(memory)
        {
            return Duration::ZERO;
        }
        let running = self.running.iter().map(|running| {
            let left = self
                .estimator
                .time(running.demand.effort)
                .saturating_sub(now.saturating_duration_since(running.since));
            self.share(running.demand, left)
        });
        let seconds = running.sum::<f64>() + self.waiting_share(flow);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// The share of what waits that is served before a job of this flow, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn waiting_share(&self, flow: &HashFlow) -> f64 {
        if self.waiting.is_empty() {
            return 0.0;
        }
        let shares = self.waiting.jobs();
        let all: f64 = shares
            .map(|job| self.share(job.demand, self.estimator.time(job.demand.effort)))
            .sum();
        all * self.waiting.ahead(flow) as f64 / self.waiting.len() as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn share(&self, demand: HashDemand, time: Duration) -> f64 {
        let memory = demand.bytes() as f64 / self.budget.bytes().max(1) as f64;
        time.as_secs_f64() * memory.max(1.0 / self.threads as f64)
    }

    /// Refuses a job that would wait too long, with the estimated wait.
    pub(super) fn admit(
        &mut self,
        flow: &HashFlow,
        demand: HashDemand,
        now: Instant,
    ) -> Result<(), Duration> {
        let wait = self.wait(flow, demand.memory, now);
        if wait > self.patience || !self.waiting.has_place(flow) || self.closed {
            self.refused += 1;
            return Err(wait);
        }
        Ok(())
    }

    /// Adds a job, or refuses it with the estimated wait. Where too many wait, one of another flow is dropped for it.
    pub(super) fn enter(
        &mut self,
        flow: &HashFlow,
        demand: HashDemand,
        work: HashTask,
        now: Instant,
    ) -> Result<Ticket, Duration> {
        self.admit(flow, demand, now)?;
        Ok(self.waiting.push(flow, QueuedJob { demand, work }))
    }

    /// Removes a job. `false` if it has begun.
    pub(super) fn leave(&mut self, ticket: Ticket) -> bool {
        self.waiting.remove(ticket)
    }

    /// Counts a job that waited for too long.
    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// The first job, if there is memory for it. Smaller ones do not overtake it, or it might wait for ever.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(Ticket, QueuedJob, Reservation)> {
        let (ticket, first) = self.waiting.first()?;
        let reserved = self.budget.take(first.demand.memory)?;
        let (job, place) = self.waiting.begin(ticket)?;
        self.running.push(RunningJob {
            ticket,
            place,
            demand: job.demand,
            since: now,
        });
        Some((ticket, job, reserved))
    }

    /// Whether the first job gets the buffer that was used for `used`, and overwrites all of it: argon2 reads no block that it has not written
    /// (RFC 9106 §3.2).
    pub(super) fn next_overwrites(&self, used: MemoryDemand) -> bool {
        let next = self.waiting.first().map(|(_, job)| job.demand.memory);
        match (used, next) {
            (MemoryDemand::Blocks(used), Some(MemoryDemand::Blocks(next))) => {
                used <= next && self.budget.keeps(next)
            }
            _ => false,
        }
    }

    /// A thread has finished. The time that it took goes into the estimates.
    pub(super) fn end(&mut self, ticket: Ticket, memory: WorkMemory, took: Option<Duration>) {
        self.budget.give_back(memory);
        if let Some(at) = self
            .running
            .iter()
            .position(|running| running.ticket == ticket)
        {
            let running = self.running.swap_remove(at);
            self.waiting.end(running.place);
            if let Some(took) = took {
                self.estimator.learn(running.demand.effort, took);
            }
        }
    }

    /// Drops the waiting jobs, and refuses all later ones.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.waiting.clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    pub(super) fn counts(&self) -> QueueCounts {
        QueueCounts {
            threads: self.threads,
            busy: self.running.len(),
            waiting: self.waiting.len(),
            refused: self.refused,
        }
    }
}

pub(super) struct QueueCounts {
    pub(super) threads: usize,
    pub(super) busy: usize,
    pub(super) waiting: usize,
    pub(super) refused: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argon2::hash::demand::{Effort, HashParameters};
    use revolve_domain::model::EmailAddress;

    const PATIENCE: Duration = Duration::from_millis(100);

    /// Two threads and a budget of four usual hashes.
    fn queue() -> Queue {
        Queue::new(2, PATIENCE, MemoryBudget::new(64 * 1024, 16))
    }

    fn argon2(memory_kib: u32, passes: u32) -> Effort {
        Effort::of(HashParameters::Argon2 { memory_kib, passes })
    }

    /// 10 ms by rule of thumb, one block of the usual size.
    fn standard() -> HashDemand {
        HashDemand {
            memory: MemoryDemand::Blocks(16),
            effort: argon2(20_000, 1),
        }
    }

    fn flow(name: &str) -> HashFlow {
        HashFlow {
            account: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
            address: None,
            known: false,
        }
    }

    fn enter_as(
        queue: &mut Queue,
        flow: &HashFlow,
        demand: HashDemand,
        now: Instant,
    ) -> Result<Ticket, Duration> {
        queue.enter(flow, demand, Box::new(|_| {}), now)
    }

    fn enter(queue: &mut Queue, demand: HashDemand, now: Instant) -> Result<Ticket, Duration> {
        enter_as(queue, &flow("ann"), demand, now)
    }

    fn begin(queue: &mut Queue, now: Instant) -> Option<(Ticket, WorkMemory)> {
        queue
            .begin(now)
            .map(|(ticket, _, reserved)| (ticket, WorkMemory::allocate(reserved).unwrap()))
    }

    #[test]
    fn who_would_wait_too_long_is_refused_at_once_and_told_how_long() {
        let (mut queue, now) = (queue(), Instant::now());
        let mut refused = None;
        let mut entered = 0;
        while refused.is_none() {
            match enter(&mut queue, standard(), now) {
                Ok(_) => entered += 1,
                Err(wait) => refused = Some(wait),
            }
        }
        // 21 times 10 ms over two threads are 105 ms.
        assert_eq!((entered, refused), (21, Some(Duration::from_millis(105))));
        assert_eq!(queue.counts().refused, 1);
        assert!(begin(&mut queue, now).is_some());
        let later = now + Duration::from_millis(10);
        assert_eq!(
            queue.wait(&flow("ann"), standard().memory, later),
            Duration::from_millis(100),
            "what runs has less and less before it"
        );
        assert!(
            enter(&mut queue, standard(), later).is_ok(),
            "and makes room"
        );
    }

    #[test]
    fn what_was_measured_is_what_the_estimate_goes_by() {
        let (mut queue, now) = (queue(), Instant::now());
        enter(&mut queue, standard(), now).unwrap();
        let (ticket, memory) = begin(&mut queue, now).unwrap();
        queue.end(ticket, memory, Some(Duration::from_millis(50)));
        for _ in 0..5 {
            enter(&mut queue, standard(), now).unwrap();
        }
        assert_eq!(
            enter(&mut queue, standard(), now),
            Err(Duration::from_millis(125)),
            "five times 50 ms over two threads"
        );
    }

    #[test]
    fn an_idle_thread_is_worth_no_wait_and_nobody_overtakes() {
        let (mut queue, now) = (queue(), Instant::now());
        let first = enter(
            &mut queue,
            HashDemand {
                effort: argon2(u32::MAX, u32::MAX),
                ..standard()
            },
            now,
        )
        .unwrap();
        assert_eq!(begin(&mut queue, now).unwrap().0, first);
        let second = enter(&mut queue, standard(), now)
            .expect("the second thread has nothing to do, whatever the first one does");
        assert!(
            enter(&mut queue, standard(), now).is_err(),
            "who comes after waits for a thread, and that may take ages"
        );
        assert_eq!(begin(&mut queue, now).unwrap().0, second);
    }

    #[test]
    fn a_large_hash_waits_for_memory_and_is_not_overtaken() {
        let (mut queue, now) = (queue(), Instant::now());
        let (small, all) = (
            standard(),
            HashDemand {
                memory: MemoryDemand::Bytes(64 * 1024),
                ..standard()
            },
        );
        for demand in [small, all, small] {
            enter(&mut queue, demand, now).unwrap();
        }
        assert_eq!(
            queue.wait(&flow("ann"), standard().memory, now),
            Duration::from_millis(20),
            "the large one keeps both threads to itself: 5 + 10 + 5 ms"
        );
        let (first, memory) = begin(&mut queue, now).unwrap();
        assert!(
            begin(&mut queue, now).is_none(),
            "there is a thread, but no memory, for either"
        );
        queue.end(first, memory, None);
        let (large, memory) = begin(&mut queue, now).unwrap();
        assert!(begin(&mut queue, now).is_none());
        queue.end(large, memory, None);
        assert!(begin(&mut queue, now).is_some());
        assert!(queue.budget().peak() <= 64 * 1024);
    }

    #[test]
    fn who_leaves_makes_room_and_what_has_begun_stays() {
        let (mut queue, now) = (queue(), Instant::now());
        let tickets: Vec<_> = (0..3)
            .map(|_| enter(&mut queue, standard(), now).unwrap())
            .collect();
        let (begun, _memory) = begin(&mut queue, now).unwrap();
        assert!(!queue.leave(begun), "it is being computed");
        assert!(queue.leave(tickets[1]) && !queue.leave(tickets[1]));
        assert_eq!(queue.counts().waiting, 1);
        queue.close();
        assert!(queue.is_closed() && enter(&mut queue, standard(), now).is_err());
    }

    #[test]
    fn who_fills_the_queue_is_refused_and_others_wait_for_their_turn_only() {
        let (mut queue, now) = (queue(), Instant::now());
        while enter(&mut queue, standard(), now).is_ok() {}
        assert_eq!(
            queue.wait(&flow("ann"), standard().memory, now),
            Duration::from_millis(105)
        );
        let known = HashFlow {
            known: true,
            ..flow("ann")
        };
        for other in [flow("bob"), known] {
            assert_eq!(
                queue.wait(&other, standard().memory, now),
                Duration::from_millis(5),
                "one of the others goes before it"
            );
            enter_as(&mut queue, &other, standard(), now).unwrap();
        }
        let served: Vec<_> = std::iter::from_fn(|| {
            let (ticket, memory) = begin(&mut queue, now)?;
            queue.end(ticket, memory, None);
            Some(ticket)
        })
        .collect();
        assert_eq!(served.len(), 23, "threads have work as long as any waits");
        assert_eq!(
            served[..4].iter().filter(|ticket| **ticket > 21).count(),
            2,
            "{served:?}"
        );
    }
}
