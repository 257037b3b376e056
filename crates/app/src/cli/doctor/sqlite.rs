//! The embedded file.

use super::{
    finding::Finding,
    postgres::{Tables, schema},
};
use crate::{config::Config, http::problem::chain};
use revolve_adapters::sqlite::{SqliteFacts, inspect};

/// Looks at the file, and says if its tables can be read as they are.
pub(super) async fn check(config: &Config, findings: &mut Vec<Finding>) -> Tables {
    let file = config.data_dir.join("revolve.sqlite3");
    if !file.exists() {
        findings.push(Finding::ok("sqlite.file", format!("{} is not there yet: the first start makes it", file.display())));
        return Tables::Missing;
    }
    match inspect(&file).await {
        Ok(facts) => {
            findings.extend(judge(&facts));
            Tables::of(facts.schema, facts.wanted_schema)
        }
        Err(error) => {
            let advice = "look at the file's owner and disk; if it is damaged, put back the last backup";
            findings.push(Finding::error("sqlite.file", format!("{}: {}", file.display(), chain(&error))).advise(advice));
            Tables::Missing
        }
    }
}

fn judge(facts: &SqliteFacts) -> Vec<Finding> {
    let mode = if facts.journal_mode == "wal" {
        let says = "it has a write-ahead log, and commits with synchronous=FULL: what was acknowledged survives a loss of power. \
                    Back it up with sqlite3's .backup or VACUUM INTO, never by copying the file alone";
        Finding::ok("sqlite.file", says)
    } else {
        Finding::error("sqlite.file", format!("its journal mode is {}, not wal", facts.journal_mode))
            .advise("stop the service, run PRAGMA journal_mode=wal with sqlite3, and keep the file on a local disk")
    };
    vec![mode, schema("sqlite.schema", facts.schema, facts.wanted_schema)]
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn a_file_has_a_write_ahead_log() {
        let facts = SqliteFacts { journal_mode: "wal".to_owned(), schema: Some(5), wanted_schema: 5 };
        let levels = |facts: &SqliteFacts| judge(facts).iter().map(|finding| finding.level).collect::<Vec<_>>();
        assert_eq!(levels(&facts), [Level::Ok, Level::Ok]);
        assert_eq!(levels(&SqliteFacts { journal_mode: "delete".to_owned(), ..facts }), [Level::Error, Level::Ok]);
    }
}
