//! The faults, a file each or a few that are alike. Each says what must hold, brings the fault about, and judges.

mod answer_lost;
mod clock;
mod descriptors;
mod disks;
mod no_writes;
mod pool;
mod postgres_kill;
mod power_cut;
mod redis_failover;
mod redis_full;
mod redis_kill;
mod redis_restored;
mod redis_wiped;
mod releases;
mod service_kill;
mod sigterm;
mod unresponsive_stores;

use futures_util::future::LocalBoxFuture;

use super::{environment::House, rounds::Rounds};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Row {
    /// The service is killed at random moments, over either kind of stores
    ServiceKill,
    /// Redis is killed, with its file synced always or every second
    RedisKill,
    /// Postgres is killed, all of its processes
    PostgresKill,
    /// The service is killed between a store's step and its answer
    AnswerLost,
    /// Redis loses everything
    RedisWiped,
    /// Redis is restored from an old AOF or RDB
    RedisRestored,
    /// A replica that lags takes the place of Redis
    RedisFailover,
    /// Redis has no memory left and evicts nothing
    RedisFull,
    /// Redis or Postgres is stopped in its tracks and goes on later
    Paused,
    /// Redis or Postgres answers half a second late
    Slow,
    /// Connections to Redis or Postgres break in the middle of answers, half close, or fall silent
    Cut,
    /// All connections to Postgres wait for a lock
    Pool,
    /// Postgres answers questions and takes no writes
    NoWrites,
    /// The service may open no more files
    Descriptors,
    /// The embedded store's disk is full
    DiskFull,
    /// The embedded store's disk is read-only
    DiskReadOnly,
    /// The last page of the embedded store is garbage
    DiskLastPage,
    /// The clock of a replica jumps by an hour, or is five seconds off
    Clock,
    /// Replicas find an empty database at the same moment
    Migrations,
    /// Replicas of this release run beside one of the previous
    Versions,
    /// SIGTERM under load
    Sigterm,
    /// The power goes while the embedded store writes
    PowerCut,
}

impl Row {
    /// Its name in the table and on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ServiceKill => "service-kill",
            Self::RedisKill => "redis-kill",
            Self::PostgresKill => "postgres-kill",
            Self::AnswerLost => "answer-lost",
            Self::RedisWiped => "redis-wiped",
            Self::RedisRestored => "redis-restored",
            Self::RedisFailover => "redis-failover",
            Self::RedisFull => "redis-full",
            Self::Paused => "paused",
            Self::Slow => "slow",
            Self::Cut => "cut",
            Self::Pool => "pool",
            Self::NoWrites => "no-writes",
            Self::Descriptors => "descriptors",
            Self::DiskFull => "disk-full",
            Self::DiskReadOnly => "disk-read-only",
            Self::DiskLastPage => "disk-last-page",
            Self::Clock => "clock",
            Self::Migrations => "migrations",
            Self::Versions => "versions",
            Self::Sigterm => "sigterm",
            Self::PowerCut => "power-cut",
        }
    }

    /// Plays its rounds.
    pub(super) fn play<'a>(
        self,
        house: &'a mut House,
        rounds: &'a mut Rounds,
    ) -> LocalBoxFuture<'a, anyhow::Result<()>> {
        match self {
            Self::ServiceKill => Box::pin(service_kill::play(house, rounds)),
            Self::RedisKill => Box::pin(redis_kill::play(house, rounds)),
            Self::PostgresKill => Box::pin(postgres_kill::play(house, rounds)),
            Self::AnswerLost => Box::pin(answer_lost::play(house, rounds)),
            Self::RedisWiped => Box::pin(redis_wiped::play(house, rounds)),
            Self::RedisRestored => Box::pin(redis_restored::play(house, rounds)),
            Self::RedisFailover => Box::pin(redis_failover::play(house, rounds)),
            Self::RedisFull => Box::pin(redis_full::play(house, rounds)),
            Self::Paused => Box::pin(unresponsive_stores::paused(house, rounds)),
            Self::Slow => Box::pin(unresponsive_stores::slow(house, rounds)),
            Self::Cut => Box::pin(unresponsive_stores::cut(house, rounds)),
            Self::Pool => Box::pin(pool::play(house, rounds)),
            Self::NoWrites => Box::pin(no_writes::play(house, rounds)),
            Self::Descriptors => Box::pin(descriptors::play(house, rounds)),
            Self::DiskFull => Box::pin(disks::full(house, rounds)),
            Self::DiskReadOnly => Box::pin(disks::read_only(house, rounds)),
            Self::DiskLastPage => Box::pin(disks::last_page(house, rounds)),
            Self::Clock => Box::pin(clock::play(house, rounds)),
            Self::Migrations => Box::pin(releases::migrations(house, rounds)),
            Self::Versions => Box::pin(releases::versions(house, rounds)),
            Self::Sigterm => Box::pin(sigterm::play(house, rounds)),
            Self::PowerCut => Box::pin(power_cut::play(house, rounds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn a_row_has_the_same_name_in_the_table_and_on_the_command_line() {
        for row in Row::value_variants() {
            assert_eq!(row.to_possible_value().unwrap().get_name(), row.name());
        }
    }
}
