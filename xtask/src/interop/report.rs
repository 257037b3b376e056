//! The table at the end: library, version, algorithm, direction.

use std::fmt::Write as _;

/// The tokens of one direction with the expected outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OutcomeCounts {
    pub(super) accepted: usize,
    pub(super) refused: usize,
}

#[derive(Debug)]
struct LibraryRow {
    library: String,
    version: String,
    algorithm: &'static str,
    /// The service's tokens, verified by the library.
    outgoing: OutcomeCounts,
    /// The library's tokens, verified by `revolve-verify`.
    incoming: OutcomeCounts,
}

#[derive(Debug, Default)]
pub(super) struct InteropReport {
    rows: Vec<LibraryRow>,
    faults: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Outgoing,
    Incoming,
}

impl InteropReport {
    /// Adds the outcome of one token.
    pub(super) fn note(
        &mut self,
        (library, version): (&str, &str),
        algorithm: &'static str,
        direction: Direction,
        outcome: TokenOutcome,
    ) {
        let row = self
            .rows
            .iter()
            .position(|row| row.library == library && row.algorithm == algorithm)
            .unwrap_or_else(|| {
                let (library, version) = (library.to_owned(), version.to_owned());
                self.rows.push(LibraryRow {
                    library,
                    version,
                    algorithm,
                    outgoing: OutcomeCounts::default(),
                    incoming: OutcomeCounts::default(),
                });
                self.rows.len() - 1
            });
        let counts = match direction {
            Direction::Outgoing => &mut self.rows[row].outgoing,
            Direction::Incoming => &mut self.rows[row].incoming,
        };
        match outcome {
            TokenOutcome::Accepted => counts.accepted += 1,
            TokenOutcome::Refused => counts.refused += 1,
            TokenOutcome::Fault(fault) => self.faults.push(format!("{library}: {fault}")),
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
        let counts = |counts: OutcomeCounts| match counts {
            OutcomeCounts {
                accepted: 0,
                refused: 0,
            } => "-".to_owned(),
            OutcomeCounts { accepted, refused } => {
                format!("{accepted} accepted, {refused} refused")
            }
        };
        let mut table = String::new();
        let _ = writeln!(
            table,
            "{:width$}  {:8}  {:9}  {:23}  its tokens, revolve-verify",
            "library", "version", "algorithm", "the service's tokens"
        );
        for row in &self.rows {
            let (outgoing, incoming) = (counts(row.outgoing), counts(row.incoming));
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

#[derive(Debug)]
pub(super) enum TokenOutcome {
    /// As expected.
    Accepted,
    /// As expected.
    Refused,
    /// Not as expected.
    Fault(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_per_library_and_algorithm_and_a_line_per_fault() {
        let mut report = InteropReport::default();
        let library = ("PyJWT", "2.0");
        report.note(
            library,
            "RS256",
            Direction::Outgoing,
            TokenOutcome::Accepted,
        );
        report.note(library, "RS256", Direction::Outgoing, TokenOutcome::Refused);
        report.note(library, "RS256", Direction::Incoming, TokenOutcome::Refused);
        report.note(
            library,
            "ES256",
            Direction::Outgoing,
            TokenOutcome::Fault("ES256, expired: accepted".to_owned()),
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
