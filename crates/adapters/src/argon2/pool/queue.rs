//! Jobs that wait for a thread. A job whose estimated wait exceeds the patience is refused at once, with the estimate.

use super::{
    estimator::{NominalTimes, TimeEstimator},
    memory::{MemoryBudget, Reservation, WorkMemory},
};
use crate::{
    argon2::hash::demand::{HashAlgorithm, HashDemand, MemoryDemand},
    fair_queue::{FairQueue, TakenShare, Ticket},
};
use argon2::Block;
use revolve_domain::ports::HashFlow;
use std::time::{Duration, Instant};

/// Most jobs that wait, of known clients and of strangers each, whatever the estimate: each has a request in memory.
const MAX_WAITING: usize = 2048;

/// Computes a hash. The caller is told if it is dropped instead.
pub(super) type HashTask = Box<dyn FnOnce(&mut [Block]) -> Answer + Send>;

/// Sends a hash to the caller.
pub(super) type Answer = Box<dyn FnOnce()>;

pub(super) struct QueuedJob {
    pub(super) demand: HashDemand,
    pub(super) work: HashTask,
}

struct RunningJob {
    ticket: Ticket,
    share: TakenShare,
    demand: HashDemand,
    since: Instant,
    /// It is computed; its thread and its memory are about to be free.
    is_computed: bool,
}

pub(super) struct Queue {
    threads: usize,
    patience: Duration,
    budget: MemoryBudget,
    estimator: TimeEstimator,
    waiting: FairQueue<QueuedJob>,
    /// What the jobs that wait take of all threads, by rule of thumb.
    waiting_times: NominalTimes,
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
            waiting_times: NominalTimes::default(),
            running: Vec::new(),
            refused: 0,
            closed: false,
        }
    }

    /// The estimated wait of a job of this flow that comes now: the time of all that is served before it, spread over the threads, or
    /// over the budget where a hash takes a larger share of that.
    pub(super) fn wait(&self, flow: &HashFlow, memory: MemoryDemand, now: Instant) -> Duration {
        if self.is_idle(memory) {
            return Duration::ZERO;
        }
        let running = self.busy().map(|running| {
            let left = self
                .estimator
                .time(running.demand.effort)
                .saturating_sub(now.saturating_duration_since(running.since));
            left.as_secs_f64() * self.share(running.demand)
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
        let all = self.estimator.sum(&self.waiting_times);
        all * self.waiting.ahead(flow) as f64 / self.waiting.len() as f64
    }

    /// What a hash takes of all threads while it runs, or of the budget if that is more.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn share(&self, demand: HashDemand) -> f64 {
        let memory = demand.bytes() as f64 / self.budget.bytes().max(1) as f64;
        memory.clamp(1.0 / self.threads as f64, 1.0)
    }

    /// Whether a job would begin at once.
    fn is_idle(&self, memory: MemoryDemand) -> bool {
        let in_use = self.busy().map(|running| running.demand.memory);
        self.waiting.is_empty()
            && self.busy().count() < self.threads
            && self.budget.covers(in_use.chain([memory]))
    }

    /// The jobs that are being computed.
    fn busy(&self) -> impl Iterator<Item = &RunningJob> {
        self.running.iter().filter(|running| !running.is_computed)
    }

    /// What a job that waits counts in [`Self::waiting_times`].
    fn waiting_time(&self, demand: HashDemand) -> (HashAlgorithm, Duration) {
        let time = demand.effort.nominal.mul_f64(self.share(demand));
        (demand.effort.algorithm(), time)
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
        Ok(self.push(flow, QueuedJob { demand, work }))
    }

    /// Adds a job if it would begin at once.
    pub(super) fn enter_idle(
        &mut self,
        flow: &HashFlow,
        demand: HashDemand,
        work: HashTask,
    ) -> Option<Ticket> {
        let enters = self.is_idle(demand.memory) && !self.closed;
        enters.then(|| self.push(flow, QueuedJob { demand, work }))
    }

    fn push(&mut self, flow: &HashFlow, job: QueuedJob) -> Ticket {
        let (algorithm, time) = self.waiting_time(job.demand);
        self.waiting_times.add(algorithm, time);
        let (ticket, displaced) = self.waiting.push(flow, job);
        if let Some(displaced) = displaced {
            self.no_longer_waits(displaced.demand);
        }
        ticket
    }

    fn no_longer_waits(&mut self, demand: HashDemand) {
        let (algorithm, time) = self.waiting_time(demand);
        self.waiting_times.subtract(algorithm, time);
    }

    /// Removes a job. `false` if it has begun.
    pub(super) fn leave(&mut self, ticket: Ticket) -> bool {
        let left = self.waiting.remove(ticket);
        if let Some(left) = &left {
            self.no_longer_waits(left.demand);
        }
        left.is_some()
    }

    /// Counts a job that waited for too long.
    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// The first job, if there is memory for it. Smaller ones do not overtake it, or it might wait for ever.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(Ticket, QueuedJob, Reservation)> {
        let (ticket, first) = self.waiting.first()?;
        let reserved = self.budget.take(first.demand.memory)?;
        let (job, share) = self.waiting.begin(ticket)?;
        self.no_longer_waits(job.demand);
        self.running.push(RunningJob {
            ticket,
            share,
            demand: job.demand,
            since: now,
            is_computed: false,
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

    /// A hash is computed. The time that it took goes into the estimates.
    pub(super) fn computed(&mut self, ticket: Ticket, took: Duration) {
        let mut running = self.running.iter_mut();
        if let Some(job) = running.find(|running| running.ticket == ticket) {
            job.is_computed = true;
            self.estimator.learn(job.demand.effort, took);
        }
    }

    /// A thread has finished.
    pub(super) fn end(&mut self, ticket: Ticket, memory: WorkMemory) {
        self.budget.give_back(memory);
        if let Some(at) = self
            .running
            .iter()
            .position(|running| running.ticket == ticket)
        {
            let running = self.running.swap_remove(at);
            self.waiting.end(running.share);
        }
    }

    /// Drops the waiting jobs, and refuses all later ones.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.waiting.clear();
        self.waiting_times = NominalTimes::default();
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
mod tests;
