//! The user database of the server profile.

use super::{clock, finding::Finding};
use crate::{config::Config, http::problem::chain};
use revolve_adapters::{
    postgres::{PostgresFacts, inspect},
    system::SystemClock,
};
use revolve_domain::ports::Clock;

/// Connections that Postgres keeps for others, and some for those who look at it.
const OTHERS: i64 = 5;

/// Whether the tables can be read as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tables {
    /// They are those of this program.
    Current,
    /// They are not there, or others: reading them would change them first.
    Missing,
}

impl Tables {
    pub(super) fn of(found: Option<i64>, wanted: i64) -> Self {
        if found == Some(wanted) { Self::Current } else { Self::Missing }
    }
}

/// Looks at Postgres.
pub(super) async fn check(config: &Config, findings: &mut Vec<Finding>) -> Tables {
    let settings = match config.postgres() {
        Ok(settings) => settings,
        Err(error) => {
            findings.push(Finding::error("postgres.reach", error.to_string()));
            return Tables::Missing;
        }
    };
    match inspect(&settings, || SystemClock.now()).await {
        Ok((facts, now)) => {
            findings.extend(judge(&facts, settings.pool_size));
            findings.push(clock::judge("postgres.clock", facts.clock, now));
            if facts.standby || facts.read_only { Tables::Missing } else { Tables::of(facts.schema, facts.wanted_schema) }
        }
        Err(error) => {
            let advice = "look at postgres.url, at the network between, and at pg_hba.conf there";
            findings.push(Finding::error("postgres.reach", chain(&error)).advise(advice));
            Tables::Missing
        }
    }
}

fn judge(facts: &PostgresFacts, pool: usize) -> Vec<Finding> {
    let role = if facts.standby {
        Finding::error("postgres.primary", "it is a standby, which takes no writes")
            .advise("name the primary in postgres.url, or all hosts with commas in between: the primary among them is used")
    } else if facts.read_only {
        Finding::error("postgres.primary", "it takes no writes").advise("look at default_transaction_read_only there")
    } else {
        Finding::ok("postgres.primary", "it takes writes")
    };
    let durable = if !facts.fsync {
        Finding::error("postgres.durability", "fsync is off: a loss of power can destroy the database").advise("set fsync = on there")
    } else if facts.synchronous {
        Finding::ok("postgres.durability", "what is committed is on the disk before it is answered")
    } else {
        Finding::error("postgres.durability", "synchronous_commit is off: a crash undoes sign-outs that were answered")
            .advise("set synchronous_commit = on there, at least for this database's user")
    };
    vec![
        Finding::ok("postgres.reach", format!("Postgres {} at {}", facts.version, facts.place)),
        role,
        schema("postgres.schema", facts.schema, facts.wanted_schema),
        durable,
        connections(i64::try_from(pool).unwrap_or(i64::MAX), facts.max_connections),
    ]
}

fn connections(pool: i64, max: i64) -> Finding {
    const CHECK: &str = "postgres.connections";
    let says = format!("max_connections is {max}, and each replica takes up to {pool}");
    if pool > max - OTHERS {
        Finding::error(CHECK, says).advise("lower postgres.pool_size, or raise max_connections there")
    } else if pool > (max - OTHERS) / 2 {
        Finding::warning(CHECK, says).advise("a second replica would find none left: lower postgres.pool_size, or raise max_connections")
    } else {
        Finding::ok(CHECK, says)
    }
}

/// The version of the tables, against the one that this program works with.
pub(super) fn schema(check: &'static str, found: Option<i64>, wanted: i64) -> Finding {
    match found {
        Some(found) if found == wanted => Finding::ok(check, format!("the tables are of version {found}")),
        Some(found) if found > wanted => {
            Finding::error(check, format!("the tables are of version {found}, and this program knows {wanted}"))
                .advise("a newer release has been here: run that one")
        }
        Some(found) => Finding::warning(check, format!("the tables are of version {found}, and this program needs {wanted}"))
            .advise("the next start brings them up to date; to do it before: revolve migrate"),
        None => Finding::warning(check, "there are no tables yet").advise("the first start makes them; to do it before: revolve migrate"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};
    use revolve_domain::model::Timestamp;

    fn facts() -> PostgresFacts {
        PostgresFacts {
            place: "localhost:5432/revolve".to_owned(),
            version: "15.4".to_owned(),
            standby: false,
            read_only: false,
            fsync: true,
            synchronous: true,
            max_connections: 100,
            schema: Some(5),
            wanted_schema: 5,
            clock: Timestamp::from_seconds(0),
        }
    }

    /// The check that is not ok.
    fn wrong(facts: &PostgresFacts, pool: usize) -> Vec<(&'static str, Level)> {
        let findings = judge(facts, pool).into_iter().filter(|finding| finding.level != Level::Ok);
        findings.inspect(|finding| assert!(finding.advice.is_some(), "{finding:?}")).map(|finding| (finding.check, finding.level)).collect()
    }

    #[test]
    fn each_fault_of_a_database_is_found() {
        assert_eq!(wrong(&facts(), 16), []);
        for (facts, pool, expected) in [
            (PostgresFacts { standby: true, read_only: true, ..facts() }, 16, ("postgres.primary", Level::Error)),
            (PostgresFacts { read_only: true, ..facts() }, 16, ("postgres.primary", Level::Error)),
            (PostgresFacts { fsync: false, ..facts() }, 16, ("postgres.durability", Level::Error)),
            (PostgresFacts { synchronous: false, ..facts() }, 16, ("postgres.durability", Level::Error)),
            (PostgresFacts { schema: None, ..facts() }, 16, ("postgres.schema", Level::Warning)),
            (PostgresFacts { schema: Some(4), ..facts() }, 16, ("postgres.schema", Level::Warning)),
            (PostgresFacts { schema: Some(6), ..facts() }, 16, ("postgres.schema", Level::Error)),
            (facts(), 60, ("postgres.connections", Level::Warning)),
            (facts(), 96, ("postgres.connections", Level::Error)),
        ] {
            assert_eq!(wrong(&facts, pool), [expected], "{facts:?}");
        }
    }

    #[test]
    fn only_tables_of_this_program_are_read() {
        assert_eq!(Tables::of(Some(5), 5), Tables::Current);
        for other in [None, Some(4), Some(6)] {
            assert_eq!(Tables::of(other, 5), Tables::Missing, "{other:?}");
        }
    }
}
