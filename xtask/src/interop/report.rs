//! The table at the end: library, version, algorithm, direction.

use std::fmt::Write as _;

/// How many of the tokens went as they must in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) accepted: usize,
    pub(super) refused: usize,
}

/// One row.
#[derive(Debug)]
struct Row {
    library: String,
    version: String,
    algorithm: &'static str,
    /// The service's tokens, verified by the library.
    outgoing: Tally,
    /// The library's tokens, verified by `revolve-verify`.
    incoming: Tally,
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<Row>,
    faults: Vec<String>,
}

/// Which way a token went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Outgoing,
    Incoming,
}

impl Report {
    /// What became of one token: as it must, or with a fault.
    pub(super) fn note(
        &mut self,
        (library, version): (&str, &str),
        algorithm: &'static str,
        direction: Direction,
        outcome: Outcome,
    ) {
        let row = self
            .rows
            .iter()
            .position(|row| row.library == library && row.algorithm == algorithm)
            .unwrap_or_else(|| {
                let (library, version) = (library.to_owned(), version.to_owned());
                self.rows.push(Row {
                    library,
                    version,
                    algorithm,
                    outgoing: Tally::default(),
                    incoming: Tally::default(),
                });
                self.rows.len() - 1
            });
        let tally = match direction {
            Direction::Outgoing => &mut self.rows[row].outgoing,
            Direction::Incoming => &mut self.rows[row].incoming,
        };
        match outcome {
            Outcome::Accepted => tally.accepted += 1,
            Outcome::Refused => tally.refused += 1,
            Outcome::Fault(fault) => self.faults.push(format!("{library}: {fault}")),
        }
    }

    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }

    pub(super) fn table(&self) -> String {
        let width = self
            .rows
            .iter()
            .map(|row| row.library.len())
            .max()
            .unwrap_or_default()
            .max(7);
        let tally = |tally: Tally| match tally {
            Tally {
                accepted: 0,
                refused: 0,
            } => "-".to_owned(),
            Tally { accepted, refused } => format!("{accepted} accepted, {refused} refused"),
        };
        let mut table = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "{:width$}  {:8}  {:9}  {:23}  its tokens, revolve-verify",
            "library", "version", "algorithm", "the service's tokens"
        );
        for row in &self.rows {
            let (outgoing, incoming) = (tally(row.outgoing), tally(row.incoming));
            let _ = writeln!(
                table,
                "{:width$}  {:8}  {:9}  {outgoing:23}  {incoming}",
                row.library, row.version, row.algorithm
            );
        }
        for fault in &self.faults {
            let _ = writeln!(table, "WRONG: {fault}");
        }
        table
    }
}

/// What became of a token.
#[derive(Debug)]
pub(super) enum Outcome {
    /// As it must.
    Accepted,
    /// As it must.
    Refused,
    /// Not as it must.
    Fault(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_per_library_and_algorithm_and_a_line_per_fault() {
        let mut report = Report::default();
        let library = ("PyJWT", "2.0");
        report.note(library, "RS256", Direction::Outgoing, Outcome::Accepted);
        report.note(library, "RS256", Direction::Outgoing, Outcome::Refused);
        report.note(library, "RS256", Direction::Incoming, Outcome::Refused);
        report.note(
            library,
            "ES256",
            Direction::Outgoing,
            Outcome::Fault("ES256, expired: accepted".to_owned()),
        );
        assert_eq!(report.faults(), ["PyJWT: ES256, expired: accepted"]);
        let table = report.table();
        let lines: Vec<_> = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines[1],
            "PyJWT 2.0 RS256 1 accepted, 1 refused 0 accepted, 1 refused"
        );
        assert_eq!(lines[2], "PyJWT 2.0 ES256 - -");
        assert_eq!(lines[3], "WRONG: PyJWT: ES256, expired: accepted");
    }
}
