//! The embedded file.

use super::{
    feed,
    finding::{AS_USER, Finding, is_denied},
    keys::Keys,
    outbox,
    postgres::{addresses, schema},
    webhooks,
};
use crate::config::Config;
use revolve_adapters::{
    sqlite::{SqliteFacts, inspect},
    system::SystemClock,
};
use revolve_domain::ports::{Clock, StoreErrorKind};
use revolve_observe::telemetry::chain;

const FILE: &str = "sqlite.file";

/// Checks the file, and answers the keys that are in it.
pub(super) async fn check(config: &Config, findings: &mut Vec<Finding>) -> Keys {
    let file = config.data_dir.join("revolve.sqlite3");
    let shown = file.display();
    match file.try_exists() {
        Ok(true) => {}
        Ok(false) => {
            findings.push(Finding::ok(
                FILE,
                format!("{shown} is not there yet: the first start makes it"),
            ));
            return None;
        }
        Err(error) => {
            findings.push(
                Finding::unknown(FILE, format!("{shown} can't be looked at: {error}"))
                    .advise(AS_USER),
            );
            return None;
        }
    }
    let error = match inspect(&file).await {
        Ok(facts) => {
            findings.extend(judge(&facts));
            findings.push(feed::check(config, facts.ended_last_hour));
            let now = SystemClock.now();
            findings.extend(facts.backlog.map(|backlog| outbox::check(backlog, now)));
            findings.extend(facts.webhooks.map(|all| webhooks::check(&all, now)));
            findings.extend(facts.same_address.as_deref().map(addresses));
            return facts.keys;
        }
        Err(error) => error,
    };
    let says = format!("{shown}: {}", chain(&error));
    findings.push(if is_denied(&error) {
        Finding::unknown(FILE, says).advise(AS_USER)
    } else if error.kind() == StoreErrorKind::Unavailable {
        let advice =
            "look again when nothing holds it; what was left behind by a crash or a copy is taken up by revolve migrate, and by a start";
        Finding::unknown(FILE, says).advise(advice)
    } else {
        Finding::error(FILE, says).advise("look at its disk; if it is damaged, put back the last backup")
    });
    None
}

fn judge(facts: &SqliteFacts) -> Vec<Finding> {
    let mode = if facts.journal_mode == "wal" {
        let says = "it has a write-ahead log, and commits with synchronous=FULL: what was acknowledged survives a loss of power. \
                    Back it up with sqlite3's .backup or VACUUM INTO, never by copying the file alone";
        Finding::ok(FILE, says)
    } else {
        Finding::error(
            FILE,
            format!("its journal mode is {}, not wal", facts.journal_mode),
        )
        .advise("keep it on a local disk; the next start sets the mode")
    };
    vec![
        mode,
        schema("sqlite.schema", facts.schema, facts.wanted_schema),
    ]
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn a_file_has_a_write_ahead_log() {
        let facts = SqliteFacts {
            journal_mode: "wal".to_owned(),
            schema: Some(5),
            wanted_schema: 5,
            keys: None,
            ended_last_hour: None,
            backlog: None,
            webhooks: None,
            same_address: None,
        };
        let levels = |facts: &SqliteFacts| {
            judge(facts)
                .iter()
                .map(|finding| finding.level)
                .collect::<Vec<_>>()
        };
        assert_eq!(levels(&facts), [Level::Ok, Level::Ok]);
        assert_eq!(
            levels(&SqliteFacts {
                journal_mode: "delete".to_owned(),
                ..facts
            }),
            [Level::Error, Level::Ok]
        );
    }
}
