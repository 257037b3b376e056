//! The migrations of tables, as both databases have them.

use refinery::{Migration, error::Error};

/// A name, `V1__what`, and its text in SQL.
pub(crate) type Script = (&'static str, &'static str);

/// Which were applied, by the library's own table.
pub(crate) const APPLIED: &str =
    "SELECT 'V' || version || '__' || name FROM refinery_schema_history ORDER BY version";

/// Whether exactly these have been applied. Then there is nothing to run, which is what almost every start finds, and
/// the library's parser of names, with its tables of all of Unicode, is never built.
pub(crate) fn are_all(applied: &[String], scripts: &[Script]) -> bool {
    applied.iter().eq(scripts.iter().map(|(name, _)| name))
}

/// What the library runs.
pub(crate) fn parse(scripts: &[Script]) -> Result<Vec<Migration>, Error> {
    scripts
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect()
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
