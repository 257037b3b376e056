//! The migrations of the tables, as both databases have them.

use refinery::{Migration, Report, Runner, error::Error};

/// A name, `V1__what`, and its text in SQL.
pub(crate) type Script = (&'static str, &'static str);

/// The scripts of a folder below `migrations/`, in order.
macro_rules! scripts {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../migrations/", $folder, "/", $name, ".sql")))),+]
    };
}

pub(crate) use scripts;

/// The names of those that were applied, by the library's own table.
pub(crate) const APPLIED: &str = "SELECT 'V' || version || '__' || name AS migration FROM refinery_schema_history ORDER BY version";

/// Whether exactly these have been applied. Then there is nothing to run, as at almost every start, and the library's
/// parser of names, with its tables of all of Unicode, is never built.
pub(crate) fn are_all(applied: &[String], scripts: &[Script]) -> bool {
    applied.iter().eq(scripts.iter().map(|(name, _)| name))
}

/// Runs what is missing. The library logs each migration, too: run it without a subscriber, and call
/// `rebuild_interest_cache` afterwards, because that subscriber's answers stay cached at the call sites.
pub(crate) fn runner(scripts: &[Script]) -> Result<Runner, Error> {
    Ok(Runner::new(&parse(scripts)?))
}

fn parse(scripts: &[Script]) -> Result<Vec<Migration>, Error> {
    scripts
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect()
}

/// Logs what was applied; answers the names.
pub(crate) fn log(database: &'static str, report: &Report) -> Vec<String> {
    let applied = report.applied_migrations().iter();
    applied
        .map(|migration| {
            tracing::info!(%migration, "migrated the tables in {database}");
            migration.to_string()
        })
        .collect()
}

/// Fails if the text of a released script has changed.
#[cfg(test)]
pub(crate) fn assert_unchanged(scripts: &[Script], released: &[u64]) {
    let sums: Vec<_> = parse(scripts)
        .unwrap()
        .iter()
        .map(Migration::checksum)
        .collect();
    assert_eq!(
        sums, released,
        "a change of tables is a new migration: starts don't look at the text of those that were applied"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_or_less_or_another_is_not_all() {
        let scripts = [("V1__one", ""), ("V2__two", "")];
        let are = |applied: &[&str]| {
            are_all(
                &applied.iter().map(ToString::to_string).collect::<Vec<_>>(),
                &scripts,
            )
        };
        assert!(are(&["V1__one", "V2__two"]));
        for other in [
            &[][..],
            &["V1__one"],
            &["V1__one", "V2__two", "V3__three"],
            &["V1__one", "V2__other"],
            &["V2__two", "V1__one"],
        ] {
            assert!(!are(other), "{other:?}");
        }
    }

    #[test]
    fn names_are_what_the_library_reads_out_of_them() {
        for script in [("V1__accounts_and_sessions", ""), ("V20__more", "")] {
            let migration = parse(&[script]).unwrap().remove(0);
            assert!(
                are_all(
                    &[format!("V{}__{}", migration.version(), migration.name())],
                    &[script]
                ),
                "{migration}"
            );
        }
    }
}
