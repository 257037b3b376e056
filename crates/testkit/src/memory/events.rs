//! Security events as a list to look at.

use super::lock;
use revolve_domain::ports::{SecurityEvent, SecurityEvents};
use std::sync::Mutex;

/// Keeps every security event in the order of its recording.
#[derive(Debug, Default)]
pub struct RecordedEvents {
    events: Mutex<Vec<SecurityEvent>>,
}

impl RecordedEvents {
    /// All of them so far, which are forgotten by this.
    pub fn take(&self) -> Vec<SecurityEvent> {
        std::mem::take(&mut lock(&self.events))
    }

    /// The names of all of them so far, which are forgotten by this.
    pub fn take_names(&self) -> Vec<&'static str> {
        self.take().iter().map(SecurityEvent::name).collect()
    }
}

impl SecurityEvents for RecordedEvents {
    fn record(&self, event: SecurityEvent) {
        lock(&self.events).push(event);
    }
}
