//! Who waits for a thread, in order, and how long that will take. Whoever would wait longer than the patience is turned away at
//! once, with an estimate of when there will be time again.

use super::{
    estimator::Pace,
    memory::{Budget, Memory, Reserved},
};
use crate::argon2::hash::demand::{Demand, Space};
use argon2::Block;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// So many may wait, whatever the estimate says: each has a request in memory.
const LONGEST: usize = 4096;

/// Computes a hash and tells who asked for it. Dropped, it tells that there is none.
pub(super) type Work = Box<dyn FnOnce(&mut [Block]) + Send>;

/// Names a piece of work.
pub(super) type Ticket = u64;

pub(super) struct Job {
    pub(super) ticket: Ticket,
    pub(super) demand: Demand,
    pub(super) work: Work,
}

struct Running {
    ticket: Ticket,
    demand: Demand,
    since: Instant,
}

pub(super) struct Queue {
    threads: usize,
    patience: Duration,
    budget: Budget,
    pace: Pace,
    waiting: VecDeque<Job>,
    running: Vec<Running>,
    next: Ticket,
    refused: u64,
    closed: bool,
}

impl Queue {
    pub(super) fn new(threads: usize, patience: Duration, budget: Budget) -> Self {
        Self {
            threads,
            patience,
            budget,
            pace: Pace::default(),
            waiting: VecDeque::new(),
            running: Vec::new(),
            next: 0,
            refused: 0,
            closed: false,
        }
    }

    /// Until it would be the turn of one that came now and took so much memory: what is before it, spread over the threads, or over the budget where one hash takes more
    /// of that than of the threads.
    pub(super) fn wait(&self, space: Space, now: Instant) -> Duration {
        if self.waiting.is_empty()
            && self.running.len() < self.threads
            && self.budget.has_room(space)
        {
            return Duration::ZERO;
        }
        let waiting = self
            .waiting
            .iter()
            .map(|job| self.share(job.demand, self.pace.time(job.demand.effort)));
        let running = self.running.iter().map(|running| {
            let left = self
                .pace
                .time(running.demand.effort)
                .saturating_sub(now.saturating_duration_since(running.since));
            self.share(running.demand, left)
        });
        Duration::try_from_secs_f64(waiting.chain(running).sum()).unwrap_or(Duration::MAX)
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn share(&self, demand: Demand, time: Duration) -> f64 {
        let memory = demand.bytes() as f64 / self.budget.bytes().max(1) as f64;
        time.as_secs_f64() * memory.max(1.0 / self.threads as f64)
    }

    /// Says after how long there would be time, if there is no place now.
    pub(super) fn admit(&mut self, demand: Demand, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(demand.space, now);
        if wait > self.patience || self.waiting.len() >= LONGEST || self.closed {
            self.refused += 1;
            return Err(wait);
        }
        Ok(())
    }

    /// Takes a place, or says after how long there would be time.
    pub(super) fn enter(
        &mut self,
        demand: Demand,
        work: Work,
        now: Instant,
    ) -> Result<Ticket, Duration> {
        self.admit(demand, now)?;
        self.next += 1;
        self.waiting.push_back(Job {
            ticket: self.next,
            demand,
            work,
        });
        Ok(self.next)
    }

    /// Gives up a place. `false` if the work has begun.
    pub(super) fn leave(&mut self, ticket: Ticket) -> bool {
        // Tickets are in order, whoever has left in between.
        match self.waiting.binary_search_by_key(&ticket, |job| job.ticket) {
            Ok(at) => self.waiting.remove(at).is_some(),
            Err(_) => false,
        }
    }

    /// Counts one that has waited in vain.
    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// The first in line, if there is memory for it. A large one is not overtaken, or small ones would keep it out for ever.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(Job, Reserved)> {
        let first = self.waiting.front()?;
        let reserved = self.budget.take(first.demand.space)?;
        let job = self.waiting.pop_front()?;
        self.running.push(Running {
            ticket: job.ticket,
            demand: job.demand,
            since: now,
        });
        Some((job, reserved))
    }

    /// Whether the first in line is to have the buffer in which this was used, and writes over all of it: argon2 reads no block that it has
    /// not written (RFC 9106 §3.2).
    pub(super) fn writes_over(&self, used: Space) -> bool {
        match (used, self.waiting.front().map(|job| job.demand.space)) {
            (Space::Blocks(used), Some(Space::Blocks(next))) => {
                used <= next && self.budget.keeps(next)
            }
            _ => false,
        }
    }

    /// A thread has finished. What was computed teaches the pace.
    pub(super) fn end(&mut self, ticket: Ticket, memory: Memory, took: Option<Duration>) {
        self.budget.give_back(memory);
        if let Some(at) = self
            .running
            .iter()
            .position(|running| running.ticket == ticket)
        {
            let running = self.running.swap_remove(at);
            if let Some(took) = took {
                self.pace.learn(running.demand.effort, took);
            }
        }
    }

    /// Nobody is let in any more, and who waits is sent away.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.waiting.clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            threads: self.threads,
            busy: self.running.len(),
            waiting: self.waiting.len(),
            refused: self.refused,
        }
    }
}

/// Numbers of a queue.
pub(super) struct Counts {
    pub(super) threads: usize,
    pub(super) busy: usize,
    pub(super) waiting: usize,
    pub(super) refused: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argon2::hash::demand::{Effort, Kind};

    const PATIENCE: Duration = Duration::from_millis(100);

    /// Two threads and a budget of four usual hashes.
    fn queue() -> Queue {
        Queue::new(2, PATIENCE, Budget::new(64 * 1024, 16))
    }

    /// 10 ms by rule of thumb, one block of the usual size.
    fn usual() -> Demand {
        Demand {
            space: Space::Blocks(16),
            effort: Effort::new(Kind::Argon2, 20_000),
        }
    }

    fn enter(queue: &mut Queue, demand: Demand, now: Instant) -> Result<Ticket, Duration> {
        queue.enter(demand, Box::new(|_| {}), now)
    }

    fn begin(queue: &mut Queue, now: Instant) -> Option<(Ticket, Memory)> {
        queue
            .begin(now)
            .map(|(job, reserved)| (job.ticket, Memory::allocate(reserved).unwrap()))
    }

    #[test]
    fn who_would_wait_too_long_is_refused_at_once_and_told_how_long() {
        let (mut queue, now) = (queue(), Instant::now());
        let mut refused = None;
        let mut entered = 0;
        while refused.is_none() {
            match enter(&mut queue, usual(), now) {
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
            queue.wait(usual().space, later),
            Duration::from_millis(100),
            "what runs has less and less before it"
        );
        assert!(enter(&mut queue, usual(), later).is_ok(), "and makes room");
    }

    #[test]
    fn what_was_measured_is_what_the_estimate_goes_by() {
        let (mut queue, now) = (queue(), Instant::now());
        enter(&mut queue, usual(), now).unwrap();
        let (ticket, memory) = begin(&mut queue, now).unwrap();
        queue.end(ticket, memory, Some(Duration::from_millis(50)));
        for _ in 0..5 {
            enter(&mut queue, usual(), now).unwrap();
        }
        assert_eq!(
            enter(&mut queue, usual(), now),
            Err(Duration::from_millis(125)),
            "five times 50 ms over two threads"
        );
    }

    #[test]
    fn an_idle_thread_is_worth_no_wait_and_nobody_overtakes() {
        let (mut queue, now) = (queue(), Instant::now());
        let first = enter(
            &mut queue,
            Demand {
                effort: Effort::new(Kind::Argon2, u64::MAX),
                ..usual()
            },
            now,
        )
        .unwrap();
        assert_eq!(begin(&mut queue, now).unwrap().0, first);
        let second = enter(&mut queue, usual(), now)
            .expect("the second thread has nothing to do, whatever the first one does");
        assert!(
            enter(&mut queue, usual(), now).is_err(),
            "who comes after waits for a thread, and that may take ages"
        );
        assert_eq!(begin(&mut queue, now).unwrap().0, second);
    }

    #[test]
    fn a_large_hash_waits_for_memory_and_is_not_overtaken() {
        let (mut queue, now) = (queue(), Instant::now());
        let (small, all) = (
            usual(),
            Demand {
                space: Space::Own(64 * 1024),
                ..usual()
            },
        );
        for demand in [small, all, small] {
            enter(&mut queue, demand, now).unwrap();
        }
        assert_eq!(
            queue.wait(usual().space, now),
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
            .map(|_| enter(&mut queue, usual(), now).unwrap())
            .collect();
        let (begun, _memory) = begin(&mut queue, now).unwrap();
        assert!(!queue.leave(begun), "it is being computed");
        assert!(queue.leave(tickets[1]) && !queue.leave(tickets[1]));
        assert_eq!(queue.counts().waiting, 1);
        queue.close();
        assert!(queue.is_closed() && enter(&mut queue, usual(), now).is_err());
    }
}
