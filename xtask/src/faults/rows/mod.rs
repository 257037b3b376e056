//! The faults, a file each. Each says what must hold, brings the fault about, and judges.

mod answer_lost;
mod killed_postgres;
mod killed_redis;
mod killed_service;

use futures_util::future::LocalBoxFuture;

use super::{house::House, rounds::Rounds};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Row {
    /// The service is killed at random moments, over either kind of stores
    ServiceKill,
    /// Redis is killed, with its file synced always or every second
    RedisKill,
    /// Postgres is killed
    PostgresKill,
    /// The service is killed between a commit and its answer
    AnswerLost,
}

impl Row {
    /// Its name in the table and on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ServiceKill => "service-kill",
            Self::RedisKill => "redis-kill",
            Self::PostgresKill => "postgres-kill",
            Self::AnswerLost => "answer-lost",
        }
    }

    /// Plays its rounds.
    pub(super) fn play<'a>(self, house: &'a mut House, rounds: &'a mut Rounds) -> LocalBoxFuture<'a, anyhow::Result<()>> {
        match self {
            Self::ServiceKill => Box::pin(killed_service::play(house, rounds)),
            Self::RedisKill => Box::pin(killed_redis::play(house, rounds)),
            Self::PostgresKill => Box::pin(killed_postgres::play(house, rounds)),
            Self::AnswerLost => Box::pin(answer_lost::play(house, rounds)),
        }
    }
}

/// What people did in a round that failed.
fn journals(people: &mut [super::person::Person]) -> Vec<String> {
    people.iter_mut().flat_map(|person| std::iter::once("somebody:".to_owned()).chain(person.journal())).collect()
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
