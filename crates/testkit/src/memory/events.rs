//! Recorded security events.

use super::lock;
use revolve_domain::ports::{SecurityEvent, SecurityEvents};
use std::sync::Mutex;

/// Keeps every security event in the order of its recording.
#[derive(Debug, Default)]
pub struct RecordedEvents {
    events: Mutex<Vec<SecurityEvent>>,
}

impl RecordedEvents {
    /// Removes and answers all events so far.
    pub fn take(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut lock(&self.events))
    }

    /// Removes all events so far and answers their names.
    pub fn take_names(&self) -> Vec<&'static str> {
        self.take().iter().map(SecurityEvent::name).collect()
    }
}

impl SecurityEvents for RecordedEvents {
    fn record(&self, event: SecurityEvent) {
        lock(&self.events).push(event);
    }
}
