//! The order in which jobs are served: round robin over accounts and over addresses. It has no clock and no locks, and memory only for what
//! waits or runs.
//!
//! Known clients and strangers wait in a lane each. While both wait, the lanes take turns: half of the service is kept for known clients.
//! Within a lane, the job is first whose account and address were served longest ago, by the later of the two. So an account has one
//! share however many addresses it comes from, and an address has one share however many accounts it names.

use revolve_domain::{limits::AddressRange, model::EmailAddress, ports::HashFlow};
use slab::Slab;
use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// Identifies a job; ascending.
pub(super) type Ticket = u64;

const LANES: usize = 2;

pub(super) struct FairQueue<T> {
    lanes: [Lane<T>; LANES],
    /// The lane that was served last.
    last: usize,
    next: Ticket,
    /// Most jobs that wait in a lane.
    capacity: usize,
}

/// What a job takes of its account's and its address's share, from its arrival to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakenShare {
    lane: usize,
    account: usize,
    address: Option<usize>,
}

struct Lane<T> {
    waiting: BTreeMap<Ticket, WaitingJob<T>>,
    accounts: Parties<EmailAddress>,
    addresses: Parties<AddressRange>,
    /// The jobs that were served so far: the clock of this lane.
    served: u64,
    /// So many dispatches a newcomer is ahead of those who are served at its arrival.
    head_start: u64,
}

struct WaitingJob<T> {
    job: T,
    place: TakenShare,
}

/// Accounts or addresses that have jobs in flight.
struct Parties<K> {
    ids: HashMap<K, usize>,
    parties: Slab<Party<K>>,
}

struct Party<K> {
    key: K,
    waiting: usize,
    running: usize,
    /// By the clock of the lane.
    last_served: u64,
}

impl<T> FairQueue<T> {
    /// For so many threads, with so many places in each lane.
    pub(super) fn new(threads: usize, capacity: usize) -> Self {
        // A newcomer goes before those whose jobs run now, and after everybody else who waits. With less it would wait for a whole
        // hash more than who has kept all threads busy; with more, a stream of newcomers would keep the others out.
        let head_start = threads as u64;
        Self {
            lanes: std::array::from_fn(|_| Lane::new(head_start)),
            last: 0,
            next: 0,
            capacity,
        }
    }

    /// The jobs that wait.
    pub(super) fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The jobs that wait, in no particular order.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &T> {
        self.lanes
            .iter()
            .flat_map(|lane| lane.waiting.values().map(|waiting| &waiting.job))
    }

    /// Whether there is a place for one more job. A full lane has one for who takes up less of it than another.
    pub(super) fn has_place(&self, flow: &HashFlow) -> bool {
        let lane = &self.lanes[lane_of(flow)];
        lane.waiting.len() < self.capacity
            || lane
                .most_crowded()
                .is_some_and(|(jobs, _)| jobs > lane.jobs_of(flow) + 1)
    }

    /// Adds a job, for which [`Self::has_place`]. In a full lane it displaces the newest job of the account or address with the most.
    pub(super) fn push(&mut self, flow: &HashFlow, job: T) -> Ticket {
        let number = lane_of(flow);
        let lane = &mut self.lanes[number];
        if lane.waiting.len() >= self.capacity
            && let Some((_, crowding)) = lane.most_crowded()
        {
            lane.remove(crowding);
        }
        let place = lane.arrive(number, flow);
        self.next += 1;
        lane.waiting.insert(self.next, WaitingJob { job, place });
        self.next
    }

    /// Removes a job that waits. `false` if it does not.
    pub(super) fn remove(&mut self, ticket: Ticket) -> bool {
        self.lanes.iter_mut().any(|lane| lane.remove(ticket))
    }

    /// The job that is next.
    pub(super) fn first(&self) -> Option<(Ticket, &T)> {
        let mut turns = (1..=LANES).map(|turn| &self.lanes[(self.last + turn) % LANES]);
        turns
            .find_map(Lane::first)
            .map(|(ticket, waiting)| (ticket, &waiting.job))
    }

    /// Begins a job that waits. It keeps its place until [`Self::end`].
    pub(super) fn begin(&mut self, ticket: Ticket) -> Option<(T, TakenShare)> {
        let (number, begun) = self
            .lanes
            .iter_mut()
            .enumerate()
            .find_map(|(number, lane)| Some((number, lane.begin(ticket)?)))?;
        self.last = number;
        Some((begun.job, begun.place))
    }

    /// A job that was begun has ended.
    pub(super) fn end(&mut self, place: TakenShare) {
        let lane = &mut self.lanes[place.lane];
        lane.accounts.end(place.account);
        if let Some(address) = place.address {
            lane.addresses.end(address);
        }
    }

    /// The estimated number of jobs that are served before one that arrives now, if nobody else comes.
    pub(super) fn ahead(&self, flow: &HashFlow) -> usize {
        let number = lane_of(flow);
        let ahead = self.lanes[number].ahead(flow);
        let others = self.lanes.iter().enumerate();
        let others = others.filter(|(other, _)| *other != number);
        ahead
            + others
                .map(|(_, lane)| lane.waiting.len().min(ahead + 1))
                .sum::<usize>()
    }

    /// Removes all jobs that wait.
    pub(super) fn clear(&mut self) {
        for lane in &mut self.lanes {
            let tickets: Vec<_> = lane.waiting.keys().copied().collect();
            for ticket in tickets {
                lane.remove(ticket);
            }
        }
    }
}

fn lane_of(flow: &HashFlow) -> usize {
    usize::from(flow.known)
}

impl<T> Lane<T> {
    fn new(head_start: u64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            accounts: Parties::default(),
            addresses: Parties::default(),
            served: head_start,
            head_start,
        }
    }

    fn arrive(&mut self, lane: usize, flow: &HashFlow) -> TakenShare {
        let now = self.served - self.head_start;
        TakenShare {
            lane,
            account: self.accounts.arrive(&flow.account, now),
            address: flow
                .address
                .map(|address| self.addresses.arrive(&address, now)),
        }
    }

    fn begin(&mut self, ticket: Ticket) -> Option<WaitingJob<T>> {
        let begun = self.waiting.remove(&ticket)?;
        self.served += 1;
        self.accounts.begin(begun.place.account, self.served);
        if let Some(address) = begun.place.address {
            self.addresses.begin(address, self.served);
        }
        Some(begun)
    }

    fn remove(&mut self, ticket: Ticket) -> bool {
        let Some(gone) = self.waiting.remove(&ticket) else {
            return false;
        };
        self.accounts.give_up(gone.place.account);
        if let Some(address) = gone.place.address {
            self.addresses.give_up(address);
        }
        true
    }

    fn first(&self) -> Option<(Ticket, &WaitingJob<T>)> {
        let waiting = self.waiting.iter().map(|(ticket, job)| (*ticket, job));
        waiting.min_by_key(|(ticket, WaitingJob { place, .. })| {
            let account = self.accounts.parties[place.account].last_served;
            let address = place.address.map_or(account, |address| {
                self.addresses.parties[address].last_served
            });
            // The earlier of the two decides between the accounts of one address, and between the addresses of one account.
            (account.max(address), account.min(address), *ticket)
        })
    }

    /// The jobs that wait for the account or the address, whichever has more.
    fn jobs_at(&self, place: TakenShare) -> usize {
        let address = place
            .address
            .map_or(0, |address| self.addresses.parties[address].waiting);
        self.accounts.parties[place.account].waiting.max(address)
    }

    fn jobs_of(&self, flow: &HashFlow) -> usize {
        let address = flow
            .address
            .map_or(0, |range| self.addresses.waiting(&range));
        self.accounts.waiting(&flow.account).max(address)
    }

    /// The most jobs that wait for one account or address, and the newest of these.
    fn most_crowded(&self) -> Option<(usize, Ticket)> {
        let waiting = self.waiting.iter();
        waiting
            .map(|(ticket, waiting)| (self.jobs_at(waiting.place), *ticket))
            .max()
    }

    fn ahead(&self, flow: &HashFlow) -> usize {
        let account = self.accounts.id(&flow.account);
        let address = flow.address.and_then(|range| self.addresses.id(&range));
        let places = || self.waiting.values().map(|waiting| waiting.place);
        // The accounts of one address take turns, and so do the addresses of one account.
        let in_address = address.map_or(0, |address| {
            let jobs = places().filter(|place| place.address == Some(address));
            let turns = self.accounts.waiting(&flow.account) + 1;
            in_turns(jobs.map(|place| place.account), turns)
        });
        let in_account = account.map_or(0, |account| {
            let jobs = places().filter(|place| place.account == account);
            let Some(range) = flow.address else {
                return jobs.count();
            };
            let turns = self.addresses.waiting(&range) + 1;
            in_turns(jobs.map(|place| place.address.unwrap_or(usize::MAX)), turns)
        });
        let before = in_address.max(in_account);
        let unaddressed = places().filter(|place| place.address.is_none()).count();
        let by_account = self.accounts.in_turns(before + 1);
        let by_address = self.addresses.in_turns(before + 1) + unaddressed;
        by_account.min(by_address).max(before)
    }
}

/// How many of these jobs, given by their party, are served in so many turns.
fn in_turns(jobs: impl Iterator<Item = usize>, turns: usize) -> usize {
    let mut served = HashMap::<usize, usize>::new();
    jobs.filter(|party| {
        let count = served.entry(*party).or_default();
        *count += 1;
        *count <= turns
    })
    .count()
}

impl<K> Default for Parties<K> {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            parties: Slab::new(),
        }
    }
}

impl<K: Clone + Eq + Hash> Parties<K> {
    /// A newcomer counts as served at `now`.
    fn arrive(&mut self, key: &K, now: u64) -> usize {
        let id = self.id(key).unwrap_or_else(|| {
            let id = self.parties.insert(Party {
                key: key.clone(),
                waiting: 0,
                running: 0,
                last_served: now,
            });
            self.ids.insert(key.clone(), id);
            id
        });
        self.parties[id].waiting += 1;
        id
    }

    fn begin(&mut self, id: usize, now: u64) {
        let party = &mut self.parties[id];
        party.waiting -= 1;
        party.running += 1;
        party.last_served = now;
    }

    fn give_up(&mut self, id: usize) {
        self.parties[id].waiting -= 1;
        self.forget_idle(id);
    }

    fn end(&mut self, id: usize) {
        self.parties[id].running -= 1;
        self.forget_idle(id);
    }

    fn forget_idle(&mut self, id: usize) {
        let party = &self.parties[id];
        if party.waiting + party.running == 0 {
            self.ids.remove(&self.parties.remove(id).key);
        }
    }

    fn id(&self, key: &K) -> Option<usize> {
        self.ids.get(key).copied()
    }

    fn waiting(&self, key: &K) -> usize {
        self.id(key).map_or(0, |id| self.parties[id].waiting)
    }

    /// How many jobs are served in so many turns of each.
    fn in_turns(&self, turns: usize) -> usize {
        let parties = self.parties.iter();
        parties.map(|(_, party)| party.waiting.min(turns)).sum()
    }
}

#[cfg(test)]
mod tests;
