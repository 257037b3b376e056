//! Accounts or addresses that have jobs in flight, and how many of these wait.

use slab::Slab;
use std::{collections::HashMap, hash::Hash};

pub(super) struct Parties<K> {
    ids: HashMap<K, usize>,
    by_id: Slab<Party<K>>,
    turns: Turns,
}

pub(super) struct Party<K> {
    key: K,
    /// Of an account's jobs by address, of an address's jobs by account.
    turns: Turns,
    running: usize,
    /// By the clock of the line.
    last_served: u64,
}

/// How many jobs are served if those that have some take turns, such as the accounts of a line. Counted as jobs come and go, so that an
/// estimate looks at none of them.
#[derive(Default)]
pub(super) struct Turns {
    /// How many have at least one job, at least two, and so on.
    at_least: Vec<usize>,
    jobs: usize,
}

impl<K> Default for Parties<K> {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            by_id: Slab::new(),
            turns: Turns::default(),
        }
    }
}

impl<K: Clone + Eq + Hash> Parties<K> {
    /// A newcomer counts as served at `now`.
    pub(super) fn arrive(&mut self, key: &K, now: u64) -> usize {
        if let Some(id) = self.ids.get(key) {
            return *id;
        }
        let id = self.by_id.insert(Party {
            key: key.clone(),
            turns: Turns::default(),
            running: 0,
            last_served: now,
        });
        self.ids.insert(key.clone(), id);
        id
    }

    /// Counts a job that waits, beside `both` of the same account and address.
    pub(super) fn add(&mut self, id: usize, both: usize) {
        let party = &mut self.by_id[id];
        self.turns.add(party.jobs());
        party.turns.add(both);
    }

    /// The opposite of [`Self::add`]; `both` includes the job.
    pub(super) fn subtract(&mut self, id: usize, both: usize) {
        let party = &mut self.by_id[id];
        self.turns.subtract(party.jobs());
        party.turns.subtract(both);
    }

    pub(super) fn begin(&mut self, id: usize, now: u64) {
        let party = &mut self.by_id[id];
        party.running += 1;
        party.last_served = now;
    }

    pub(super) fn end(&mut self, id: usize) {
        self.by_id[id].running -= 1;
        self.forget_idle(id);
    }

    pub(super) fn forget_idle(&mut self, id: usize) {
        let party = &self.by_id[id];
        if party.jobs() + party.running == 0 {
            self.ids.remove(&self.by_id.remove(id).key);
        }
    }

    pub(super) fn find(&self, key: &K) -> Option<&Party<K>> {
        self.ids.get(key).map(|id| &self.by_id[*id])
    }

    pub(super) fn last_served(&self, id: usize) -> u64 {
        self.by_id[id].last_served
    }

    /// The jobs that wait for this one.
    pub(super) fn jobs(&self, id: usize) -> usize {
        self.by_id[id].jobs()
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    #[cfg(test)]
    pub(super) fn is_blank(&self) -> bool {
        self.ids.is_empty() && self.by_id.is_empty() && self.turns.most() == 0
    }
}

impl<K> Party<K> {
    /// The jobs that wait.
    pub(super) fn jobs(&self) -> usize {
        self.turns.jobs
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }
}

impl Turns {
    /// One that has so many jobs gets one more.
    fn add(&mut self, jobs: usize) {
        if jobs == self.at_least.len() {
            self.at_least.push(0);
        }
        self.at_least[jobs] += 1;
        self.jobs += 1;
    }

    /// One that has so many jobs loses one.
    fn subtract(&mut self, jobs: usize) {
        self.at_least[jobs - 1] -= 1;
        self.at_least.pop_if(|count| *count == 0);
        self.jobs -= 1;
    }

    /// The most jobs of one.
    pub(super) fn most(&self) -> usize {
        self.at_least.len()
    }

    /// How many jobs are served in so many turns of each.
    pub(super) fn jobs_in(&self, turns: usize) -> usize {
        if turns < self.at_least.len() {
            self.at_least[..turns].iter().sum()
        } else {
            self.jobs
        }
    }
}
