//! How much is measured.

#[derive(Debug, Clone, Copy)]
pub(super) struct RunSize {
    /// Rounds of everything.
    pub(super) rounds: usize,
    /// Seconds of load for a figure, in each round.
    pub(super) seconds: f64,
    /// Seconds for a raw floor, in each round.
    pub(super) floor: f64,
    /// Seconds of hashing for a figure, in each round.
    pub(super) hashing: f64,
    /// Seconds at each point of a curve, in each pass.
    pub(super) point: f64,
    /// How often a curve is measured.
    pub(super) passes: usize,
    /// Users who refresh.
    pub(super) users: usize,
    /// Live sessions in a store, from few to many.
    pub(super) sessions: &'static [usize],
    /// Other users' sessions, with two keys each, among which users sign out.
    pub(super) foreign: usize,
    /// Users who sign out in each round; fewer with the replaced scheme, which is slow.
    pub(super) sign_outs: (usize, usize),
    /// Sessions for the memory of Redis.
    pub(super) memory: usize,
    /// How often each service is started.
    pub(super) starts: usize,
    /// Due mails to send.
    pub(super) due_mails: usize,
    /// Mails in the outbox that are due much later.
    pub(super) waiting_mails: usize,
    /// Addresses that are verified in each round.
    pub(super) proofs: usize,
    /// Accounts of which pages are asked for.
    pub(super) accounts: usize,
    /// Seconds of each flood.
    pub(super) flood: u64,
    /// Seconds of ends that the revocation feed tells.
    pub(super) feed: u64,
}

impl RunSize {
    pub(super) const FULL: Self = Self {
        rounds: 9,
        seconds: 3.0,
        floor: 1.5,
        hashing: 2.0,
        point: 5.0,
        passes: 3,
        users: 5_000,
        sessions: &[1_000, 10_000, 100_000, 1_000_000],
        foreign: 500_000,
        sign_outs: (200, 2),
        memory: 100_000,
        starts: 11,
        due_mails: 10_000,
        waiting_mails: 1_000_000,
        proofs: 2_000,
        accounts: 1_000_000,
        flood: 30,
        feed: 10,
    };

    pub(super) const QUICK: Self = Self {
        rounds: 5,
        seconds: 0.8,
        floor: 0.5,
        hashing: 0.8,
        point: 1.0,
        passes: 3,
        users: 1_000,
        sessions: &[1_000, 10_000, 100_000],
        foreign: 100_000,
        sign_outs: (100, 1),
        memory: 20_000,
        starts: 5,
        due_mails: 3_000,
        waiting_mails: 100_000,
        proofs: 1_000,
        accounts: 100_000,
        flood: 8,
        feed: 4,
    };
}
