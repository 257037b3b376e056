//! The ports that this program implements itself besides its store: events and deferred clearings.

use revolve_domain::ports::{Clearing, Clearings, SecurityEvent, SecurityEvents};
use std::io::Write;

/// Prints a line. A standard output that is closed does not stop the program.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints the name of each security event.
pub(crate) struct PrintedEvents;

impl SecurityEvents for PrintedEvents {
    fn record(&self, event: SecurityEvent) {
        print(&format!("  event: {}", event.name()));
    }
}

/// The store is in memory and never fails, so no clearing is deferred. A program with a white list on another machine keeps
/// a queue here.
pub(crate) struct NoQueue;

impl Clearings for NoQueue {
    fn defer(&self, clearing: Clearing) {
        print(&format!("  dropped: {clearing}"));
    }
}
