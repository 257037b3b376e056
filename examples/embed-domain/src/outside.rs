//! Where events go, and what happens to clearings that have to wait.

use revolve_domain::ports::{Clearing, Clearings, SecurityEvent, SecurityEvents};
use std::io::Write;

/// Says it on standard output; whoever started the program may not listen.
pub(crate) fn said(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints the name of each security event.
pub(crate) struct PrintedEvents;

impl SecurityEvents for PrintedEvents {
    fn record(&self, event: SecurityEvent) {
        said(&format!("  event: {}", event.name()));
    }
}

/// The store is this process's memory and never fails, so nothing ever waits. A program with a white list on another
/// machine keeps a queue here.
pub(crate) struct NothingWaits;

impl Clearings for NothingWaits {
    fn defer(&self, clearing: Clearing) {
        said(&format!("  dropped: {clearing:?}"));
    }
}
