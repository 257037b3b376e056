//! A line of a fair queue: the jobs that wait in it, by account and by address.

use super::{
    TakenShare, Ticket,
    parties::{Parties, Party},
};
use revolve_domain::{limits::AddressRange, model::EmailAddress, ports::HashFlow};
use std::collections::{BTreeMap, HashMap};

pub(super) struct Line<T> {
    waiting: BTreeMap<Ticket, WaitingJob<T>>,
    accounts: Parties<EmailAddress>,
    addresses: Parties<AddressRange>,
    /// How many jobs wait of an account at an address.
    pairs: HashMap<(usize, Option<usize>), usize>,
    /// How many jobs wait whose address is not known.
    unaddressed: usize,
    /// The jobs that were served so far: the clock of this line.
    served: u64,
    /// So many dispatches a newcomer is ahead of those who are served at its arrival.
    head_start: u64,
}

struct WaitingJob<T> {
    job: T,
    share: TakenShare,
}

impl<T> Line<T> {
    pub(super) fn new(head_start: u64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            accounts: Parties::default(),
            addresses: Parties::default(),
            pairs: HashMap::new(),
            unaddressed: 0,
            served: head_start,
            head_start,
        }
    }

    /// The jobs that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// `line` is the number of this line.
    pub(super) fn push(&mut self, ticket: Ticket, line: usize, flow: &HashFlow, job: T) {
        let now = self.served - self.head_start;
        let share = TakenShare {
            line,
            account: self.accounts.arrive(&flow.account, now),
            address: flow
                .address
                .map(|address| self.addresses.arrive(&address, now)),
        };
        self.add(share);
        self.waiting.insert(ticket, WaitingJob { job, share });
    }

    pub(super) fn begin(&mut self, ticket: Ticket) -> Option<(T, TakenShare)> {
        let WaitingJob { job, share } = self.waiting.remove(&ticket)?;
        self.subtract(share);
        self.served += 1;
        self.accounts.begin(share.account, self.served);
        if let Some(address) = share.address {
            self.addresses.begin(address, self.served);
        }
        Some((job, share))
    }

    pub(super) fn end(&mut self, share: TakenShare) {
        self.accounts.end(share.account);
        if let Some(address) = share.address {
            self.addresses.end(address);
        }
    }

    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let WaitingJob { job, share } = self.waiting.remove(&ticket)?;
        self.subtract(share);
        self.accounts.forget_idle(share.account);
        if let Some(address) = share.address {
            self.addresses.forget_idle(address);
        }
        Some(job)
    }

    #[cfg(any(feature = "argon2", test))]
    pub(super) fn clear(&mut self) {
        while let Some((&ticket, _)) = self.waiting.first_key_value() {
            self.remove(ticket);
        }
    }

    pub(super) fn first(&self) -> Option<(Ticket, &T)> {
        let first = self.waiting.iter().min_by_key(|(ticket, waiting)| {
            let account = self.accounts.last_served(waiting.share.account);
            let address = waiting.share.address;
            let address = address.map_or(account, |address| self.addresses.last_served(address));
            // The earlier of the two decides between the accounts of one address, and between the addresses of one account.
            (account.max(address), account.min(address), **ticket)
        });
        first.map(|(ticket, waiting)| (*ticket, &waiting.job))
    }

    /// The jobs that wait for the account or the address, whichever has more.
    pub(super) fn jobs_of(&self, flow: &HashFlow) -> usize {
        let (account, address) = self.find(flow);
        let [account, address] = [
            account.map_or(0, Party::jobs),
            address.map_or(0, Party::jobs),
        ];
        account.max(address)
    }

    /// The most jobs that wait for one account or address.
    pub(super) fn most_jobs(&self) -> usize {
        self.accounts
            .turns()
            .most()
            .max(self.addresses.turns().most())
    }

    /// The newest job of the account or address for which most wait. It looks at all jobs.
    pub(super) fn most_crowded(&self) -> Option<Ticket> {
        let jobs = |share: TakenShare| {
            let address = share
                .address
                .map_or(0, |address| self.addresses.jobs(address));
            self.accounts.jobs(share.account).max(address)
        };
        let crowded = self.waiting.iter();
        let crowded = crowded.max_by_key(|(ticket, waiting)| (jobs(waiting.share), **ticket));
        crowded.map(|(ticket, _)| *ticket)
    }

    /// The estimated number of jobs of this line that are served before one that arrives now.
    pub(super) fn ahead(&self, flow: &HashFlow) -> usize {
        let (account, address) = self.find(flow);
        // The accounts of one address take turns, and so do the addresses of one account.
        let turns = account.map_or(0, Party::jobs) + 1;
        let in_address = address.map_or(0, |address| address.turns().jobs_in(turns));
        let turns = address.map_or(0, Party::jobs) + 1;
        let in_account = account.map_or(0, |account| match flow.address {
            Some(_) => account.turns().jobs_in(turns),
            None => account.jobs(),
        });
        let before = in_address.max(in_account);
        let by_account = self.accounts.turns().jobs_in(before + 1);
        let by_address = self.addresses.turns().jobs_in(before + 1) + self.unaddressed;
        by_account.min(by_address).max(before)
    }

    fn find(&self, flow: &HashFlow) -> FoundParties<'_> {
        (
            self.accounts.find(&flow.account),
            flow.address.and_then(|range| self.addresses.find(&range)),
        )
    }

    /// Counts a job that waits.
    fn add(&mut self, share: TakenShare) {
        let both = self
            .pairs
            .entry((share.account, share.address))
            .or_default();
        self.accounts.add(share.account, *both);
        match share.address {
            Some(address) => self.addresses.add(address, *both),
            None => self.unaddressed += 1,
        }
        *both += 1;
    }

    /// A job that was counted waits no more.
    fn subtract(&mut self, share: TakenShare) {
        let pair = (share.account, share.address);
        let both = self.pairs[&pair];
        self.accounts.subtract(share.account, both);
        match share.address {
            Some(address) => self.addresses.subtract(address, both),
            None => self.unaddressed -= 1,
        }
        if both == 1 {
            self.pairs.remove(&pair);
        } else {
            self.pairs.insert(pair, both - 1);
        }
    }

    /// Whether anything is kept of jobs.
    #[cfg(test)]
    pub(super) fn is_blank(&self) -> bool {
        self.waiting.is_empty()
            && self.accounts.is_blank()
            && self.addresses.is_blank()
            && self.pairs.is_empty()
            && self.unaddressed == 0
    }
}

type FoundParties<'a> = (
    Option<&'a Party<EmailAddress>>,
    Option<&'a Party<AddressRange>>,
);
