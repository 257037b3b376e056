//! The order in which jobs are served: round robin over accounts and over addresses. It has no clock and no locks, and memory only for what
//! waits or runs.
//!
//! Known clients and strangers wait in a line each. While both wait, the lines take turns: half of the service is kept for known clients.
//! Within a line, the job is first whose account and address were served longest ago, by the later of the two. So an account has one
//! share however many addresses it comes from, and an address has one share however many accounts it names.

pub(crate) mod average;
mod line;
mod parties;
#[cfg(feature = "zxcvbn")]
pub(crate) mod semaphore;

use line::Line;
use revolve_domain::ports::HashFlow;

/// Identifies a job; ascending.
pub(crate) type Ticket = u64;

const LINES: usize = 2;

pub(crate) struct FairQueue<T> {
    lines: [Line<T>; LINES],
    /// The line that was served last.
    last: usize,
    next: Ticket,
    /// Most jobs that wait in a line.
    capacity: usize,
}

/// What a job takes of its account's and its address's share, from its arrival to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakenShare {
    line: usize,
    account: usize,
    address: Option<usize>,
}

impl<T> FairQueue<T> {
    /// For so many threads, with so many places in each line.
    pub(crate) fn new(threads: usize, capacity: usize) -> Self {
        // A newcomer goes before those whose jobs run now, and after everybody else who waits. With less it would wait for a whole
        // job more than who has kept all threads busy; with more, a stream of newcomers would keep the others out.
        let head_start = threads as u64;
        Self {
            lines: std::array::from_fn(|_| Line::new(head_start)),
            last: 0,
            next: 0,
            capacity,
        }
    }

    /// Whether there is a place for one more job. A full line has one for who takes up less of it than another.
    pub(crate) fn has_place(&self, flow: &HashFlow) -> bool {
        let line = &self.lines[line_of(flow)];
        line.len() < self.capacity || line.most_jobs() > line.jobs_of(flow) + 1
    }

    /// Adds a job, for which [`Self::has_place`]. In a full line it displaces the newest job of the account or address with the most, which is
    /// returned.
    pub(crate) fn push(&mut self, flow: &HashFlow, job: T) -> (Ticket, Option<T>) {
        let number = line_of(flow);
        let line = &mut self.lines[number];
        let displaced = if line.len() < self.capacity {
            None
        } else {
            line.most_crowded()
                .and_then(|crowding| line.remove(crowding))
        };
        self.next += 1;
        line.push(self.next, number, flow, job);
        (self.next, displaced)
    }

    /// Removes a job that waits. `None` if it does not.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        self.lines.iter_mut().find_map(|line| line.remove(ticket))
    }

    /// The job that is next.
    pub(crate) fn first(&self) -> Option<(Ticket, &T)> {
        let mut turns = (1..=LINES).map(|turn| &self.lines[(self.last + turn) % LINES]);
        turns.find_map(Line::first)
    }

    /// Begins a job that waits. It keeps its share until [`Self::end`].
    pub(crate) fn begin(&mut self, ticket: Ticket) -> Option<(T, TakenShare)> {
        let begun = self.lines.iter_mut().find_map(|line| line.begin(ticket))?;
        self.last = begun.1.line;
        Some(begun)
    }

    /// A job that was begun has ended.
    pub(crate) fn end(&mut self, share: TakenShare) {
        self.lines[share.line].end(share);
    }

    /// The estimated number of jobs that are served before one that arrives now, if nobody else comes. It looks at no job.
    pub(crate) fn ahead(&self, flow: &HashFlow) -> usize {
        let number = line_of(flow);
        let ahead = self.lines[number].ahead(flow);
        let others = self.lines.iter().enumerate();
        let others = others.filter(|(other, _)| *other != number);
        ahead
            + others
                .map(|(_, line)| line.len().min(ahead + 1))
                .sum::<usize>()
    }
}

#[cfg(any(feature = "argon2", test))]
impl<T> FairQueue<T> {
    /// The jobs that wait.
    pub(crate) fn len(&self) -> usize {
        self.lines.iter().map(Line::len).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all jobs that wait.
    pub(crate) fn clear(&mut self) {
        self.lines.iter_mut().for_each(Line::clear);
    }
}

fn line_of(flow: &HashFlow) -> usize {
    usize::from(flow.known)
}

#[cfg(test)]
mod tests;
