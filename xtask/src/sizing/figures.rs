//! What was measured.

pub(super) struct SizingFigures {
    pub(super) redis: RedisSize,
    pub(super) postgres: PostgresSize,
    pub(super) sqlite: SqliteSize,
    pub(super) costs: Vec<RefreshCost>,
}

/// Bytes of `used_memory`: keys of every kind and their tables.
pub(super) struct RedisSize {
    /// Of a user's only session, with the index.
    pub(super) first: f64,
    /// The same after every user has refreshed once.
    pub(super) refreshed: f64,
    /// Of each further session of the same user.
    pub(super) further: f64,
}

/// Bytes in Postgres.
pub(super) struct PostgresSize {
    /// Of the tables with a row for each user and for each session.
    pub(super) lasting: Vec<TableSize>,
    /// Of what happened to them.
    pub(super) journal: TableSize,
}

/// Bytes of a table and of its indexes for each row.
pub(super) struct TableSize {
    pub(super) name: &'static str,
    pub(super) heap: f64,
    pub(super) indexes: f64,
}

/// Bytes of the database's file for each user with a session.
pub(super) struct SqliteSize {
    pub(super) each: f64,
}

/// CPU time of one refresh in microseconds, medians over the rounds.
pub(super) struct RefreshCost {
    pub(super) algorithm: &'static str,
    pub(super) service: f64,
    pub(super) redis: f64,
    pub(super) postgres: f64,
    /// Refreshes in all rounds.
    pub(super) refreshes: u32,
}
