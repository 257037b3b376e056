//! The user database of the server profile.

use super::{clock, feed, finding::Finding, keys::Keys, network::encryption, outbox, webhooks};
use crate::{composition::settings, config::Config};
use revolve_adapters::{
    postgres::{PoolMode, PostgresFacts, Standbys, inspect, plain_hosts},
    system::SystemClock,
};
use revolve_domain::{model::UserId, ports::Clock};
use revolve_observe::telemetry::chain;

/// Connections that Postgres reserves, and some for administrators.
const OTHERS: i64 = 5;

/// Checks Postgres, and answers the keys that are in it.
pub(super) async fn check(config: &Config, findings: &mut Vec<Finding>) -> Keys {
    let settings = match settings::postgres(config) {
        Ok(settings) => settings,
        Err(error) => {
            findings.push(Finding::error("postgres.reach", error.to_string()));
            return None;
        }
    };
    let encrypt = "write sslmode=verify-full in postgres.url, and switch ssl on there";
    findings.push(encryption(
        "postgres.encryption",
        &plain_hosts(&settings),
        encrypt,
    ));
    match inspect(&settings, || SystemClock.now()).await {
        Ok((facts, now)) => {
            findings.extend(judge(&facts, settings.pool_size));
            findings.extend(facts.same_address.as_deref().map(addresses));
            findings.push(clock::judge("postgres.clock", facts.clock, now));
            findings.push(feed::check(config, facts.ended_last_hour));
            findings.extend(facts.backlog.map(|backlog| outbox::check(backlog, now)));
            findings.extend(facts.webhooks.map(|all| webhooks::check(&all, now)));
            facts.keys
        }
        Err(error) => {
            let advice = "look at postgres.url, at the network between, and at pg_hba.conf there";
            findings.push(Finding::error("postgres.reach", chain(&error)).advise(advice));
            None
        }
    }
}

fn judge(facts: &PostgresFacts, pool: usize) -> Vec<Finding> {
    let role = if facts.standby {
        Finding::error("postgres.primary", "it is a standby, which takes no writes")
            .advise("name the primary in postgres.url, or all hosts with commas in between: the primary among them is used")
    } else if facts.read_only {
        Finding::error("postgres.primary", "it takes no writes")
            .advise("look at default_transaction_read_only there")
    } else {
        Finding::ok("postgres.primary", "it takes writes")
    };
    let mut findings = vec![
        Finding::ok(
            "postgres.reach",
            format!("Postgres {} at {}", facts.version, facts.place),
        ),
        pool_mode(facts.pool_mode),
        role,
        schema("postgres.schema", facts.schema, facts.wanted_schema),
        encoding(&facts.encoding),
        durability(facts),
    ];
    if !facts.standby {
        findings.push(failover(facts));
    }
    findings.push(connections(
        i64::try_from(pool).unwrap_or(i64::MAX),
        facts.max_connections,
        facts.pool_mode,
    ));
    findings
}

fn pool_mode(mode: PoolMode) -> Finding {
    let says = match mode {
        PoolMode::Session => {
            "a connection has a session of the server (no pooler, or one that keeps sessions)"
        }
        PoolMode::Transaction => {
            "a pooler gives each transaction any session of the server: nothing is left in one"
        }
    };
    Finding::ok("postgres.pool_mode", says)
}

fn encoding(found: &str) -> Finding {
    const CHECK: &str = "postgres.encoding";
    if found == "UTF8" {
        return Finding::ok(CHECK, "it holds every text (UTF8)");
    }
    Finding::error(
        CHECK,
        format!("the database is encoded in {found}, which can't hold every name: a start is refused"),
    )
    .advise("move it to a database that is made with createdb --encoding=UTF8 --template=template0, by pg_dump and pg_restore")
}

fn durability(facts: &PostgresFacts) -> Finding {
    const CHECK: &str = "postgres.durability";
    if !facts.fsync {
        Finding::error(
            CHECK,
            "fsync is off: a loss of power can destroy the database",
        )
        .advise("set fsync = on there")
    } else if facts.synchronous_commit == "off" {
        Finding::error(
            CHECK,
            "synchronous_commit is off: a crash undoes sign-outs that were answered",
        )
        .advise("set synchronous_commit = on there, at least for this database's user")
    } else {
        Finding::ok(
            CHECK,
            "what is committed is on the disk before it is answered",
        )
    }
}

/// Whether a standby that takes over has all that was answered.
fn failover(facts: &PostgresFacts) -> Finding {
    const CHECK: &str = "postgres.failover";
    const LOST: &str = "one that takes over may lack sign-ups and sign-outs that were answered, and tokens that were signed out work again";
    let (names, commit) = (
        &facts.synchronous_standby_names,
        facts.synchronous_commit.as_str(),
    );
    let waits = !names.is_empty() && !matches!(commit, "off" | "local");
    match facts.standbys {
        None => Finding::unknown(CHECK, "it does not say if standbys follow it")
            .advise("if any may take over, see that synchronous_standby_names names them and synchronous_commit is on"),
        Some(Standbys { following: 0, .. }) if waits => {
            let says = format!("each commit waits for a standby of synchronous_standby_names ({names}), and none follows");
            Finding::error(CHECK, says).advise("start the standby; or empty synchronous_standby_names and reload, until it is there")
        }
        Some(Standbys { following: 0, awaited: 0 }) => Finding::ok(CHECK, "no standby follows"),
        Some(_) if waits => Finding::ok(CHECK, format!("a commit is answered when a standby has it (synchronous_standby_names: {names})")),
        Some(Standbys { following, awaited }) => {
            let who = format!("standbys that follow: {following}, replication slots that wait for one: {awaited}");
            let why =
                if names.is_empty() { "synchronous_standby_names is empty".to_owned() } else { format!("synchronous_commit is {commit}") };
            Finding::warning(CHECK, format!("{who}; no commit waits for any ({why}): {LOST}")).advise(
                "name those that may take over in synchronous_standby_names (ANY 1 (a, b): one of them may be down), and set \
                 synchronous_commit = on",
            )
        }
    }
}

fn connections(pool: i64, max: i64, mode: PoolMode) -> Finding {
    const CHECK: &str = "postgres.connections";
    if mode == PoolMode::Transaction {
        let says = format!(
            "max_connections is {max}, of which the pooler takes a part; each replica takes up to {pool} of the pooler's clients"
        );
        return Finding::ok(CHECK, says);
    }
    let says = format!("max_connections is {max}, and each replica takes up to {pool}");
    if pool > max - OTHERS {
        Finding::error(CHECK, says)
            .advise("lower postgres.pool_size, or raise max_connections there")
    } else if pool > (max - OTHERS) / 2 {
        Finding::warning(CHECK, says).advise("a second replica would find none left: lower postgres.pool_size, or raise max_connections")
    } else {
        Finding::ok(CHECK, says)
    }
}

/// Accounts of an earlier release whose addresses are spellings of one.
pub(super) fn addresses(same: &[(UserId, UserId)]) -> Finding {
    const CHECK: &str = "accounts.addresses";
    const SHOWN: usize = 20;
    if same.is_empty() {
        return Finding::ok(CHECK, "no address is another account's in another spelling");
    }
    let pairs = same.iter().take(SHOWN);
    let pairs: Vec<_> = pairs
        .map(|(one, other)| format!("{one} and {other}"))
        .collect();
    let more = match same.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let says = format!(
        "accounts of an earlier release have one address in two spellings, and each is signed in to as it signed up: {}{more}",
        pairs.join(", ")
    );
    Finding::warning(CHECK, says).advise(
        "look at them with revolve user show ID, ask their owner which one to keep, and delete the other; a start gives the rest its key",
    )
}

/// The version of the tables, against the one that this program works with.
pub(super) fn schema(check: &'static str, found: Option<i64>, wanted: i64) -> Finding {
    match found {
        Some(found) if found == wanted => {
            Finding::ok(check, format!("the tables are of version {found}"))
        }
        Some(found) if found > wanted => Finding::error(
            check,
            format!("the tables are of version {found}, and this program knows {wanted}"),
        )
        .advise("a newer release has been here: run that one"),
        Some(found) => Finding::warning(
            check,
            format!("the tables are of version {found}, and this program needs {wanted}"),
        )
        .advise("the next start brings them up to date; to do it before: revolve migrate"),
        None => Finding::warning(check, "there are no tables yet")
            .advise("the first start makes them; to do it before: revolve migrate"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};
    use revolve_domain::model::Timestamp;

    fn facts() -> PostgresFacts {
        PostgresFacts {
            place: "localhost:5432/revolve".to_owned(),
            pool_mode: PoolMode::Session,
            version: "15.4".to_owned(),
            standby: false,
            read_only: false,
            fsync: true,
            synchronous_commit: "on".to_owned(),
            synchronous_standby_names: String::new(),
            standbys: Some(Standbys {
                following: 0,
                awaited: 0,
            }),
            max_connections: 100,
            encoding: "UTF8".to_owned(),
            schema: Some(5),
            wanted_schema: 5,
            keys: None,
            ended_last_hour: None,
            backlog: None,
            webhooks: None,
            same_address: None,
            clock: Timestamp::from_seconds(0),
        }
    }

    /// The check that is not ok.
    fn wrong(facts: &PostgresFacts, pool: usize) -> Vec<(&'static str, Level)> {
        let findings = judge(facts, pool)
            .into_iter()
            .filter(|finding| finding.level != Level::Ok);
        findings
            .inspect(|finding| assert!(finding.advice.is_some(), "{finding:?}"))
            .map(|finding| (finding.check, finding.level))
            .collect()
    }

    #[test]
    fn each_fault_of_a_database_is_found() {
        assert_eq!(wrong(&facts(), 16), []);
        for (facts, pool, expected) in [
            (
                PostgresFacts {
                    encoding: "LATIN1".to_owned(),
                    ..facts()
                },
                16,
                ("postgres.encoding", Level::Error),
            ),
            (
                PostgresFacts {
                    standby: true,
                    read_only: true,
                    ..facts()
                },
                16,
                ("postgres.primary", Level::Error),
            ),
            (
                PostgresFacts {
                    read_only: true,
                    ..facts()
                },
                16,
                ("postgres.primary", Level::Error),
            ),
            (
                PostgresFacts {
                    fsync: false,
                    ..facts()
                },
                16,
                ("postgres.durability", Level::Error),
            ),
            (
                PostgresFacts {
                    synchronous_commit: "off".to_owned(),
                    ..facts()
                },
                16,
                ("postgres.durability", Level::Error),
            ),
            (
                PostgresFacts {
                    schema: None,
                    ..facts()
                },
                16,
                ("postgres.schema", Level::Warning),
            ),
            (
                PostgresFacts {
                    schema: Some(4),
                    ..facts()
                },
                16,
                ("postgres.schema", Level::Warning),
            ),
            (
                PostgresFacts {
                    schema: Some(6),
                    ..facts()
                },
                16,
                ("postgres.schema", Level::Error),
            ),
            (facts(), 60, ("postgres.connections", Level::Warning)),
            (facts(), 96, ("postgres.connections", Level::Error)),
        ] {
            assert_eq!(wrong(&facts, pool), [expected], "{facts:?}");
        }
    }

    #[test]
    fn accounts_of_one_address_are_named_by_their_ids() {
        assert_eq!(addresses(&[]).level, Level::Ok);
        let id = |number| UserId::from_random([number; 16]);
        let finding = addresses(&[(id(1), id(2)); 21]);
        let says = format!("{} and {}", id(1), id(2));
        assert_eq!(finding.level, Level::Warning);
        assert!(
            finding.says.contains(&says) && finding.says.ends_with("and 1 more"),
            "{finding:?}"
        );
    }

    #[test]
    fn a_standby_that_may_take_over_has_what_was_answered() {
        use Level::{Error, Ok, Unknown, Warning};
        let (alone, one, slot) = ((0, 0), (1, 0), (0, 1));
        for (commit, names, standbys, level) in [
            ("on", "", Some(alone), Ok),
            ("local", "", Some(alone), Ok),
            ("on", "", Some(one), Warning),
            ("on", "", Some(slot), Warning),
            ("on", "b", Some(one), Ok),
            ("remote_write", "b", Some(one), Ok),
            ("local", "b", Some(one), Warning),
            ("off", "b", Some(one), Warning),
            ("on", "b", Some(alone), Error),
            ("on", "b", Some(slot), Error),
            ("local", "b", Some(alone), Ok),
            ("on", "", None, Unknown),
        ] {
            let facts = PostgresFacts {
                synchronous_commit: commit.to_owned(),
                synchronous_standby_names: names.to_owned(),
                standbys: standbys.map(|(following, awaited)| Standbys { following, awaited }),
                ..facts()
            };
            let finding = failover(&facts);
            assert_eq!(
                (finding.level, finding.advice.is_some()),
                (level, level != Ok),
                "{facts:?}: {finding:?}"
            );
        }
    }
}
