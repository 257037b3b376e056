//! What a change tells: in its commit, and then to those who watch.

use super::ServicePorts;
use crate::{
    journal::{Actor, Tell, Told},
    model::{EventId, Timestamp},
    ports::{Entropy, SecurityEvent, SecurityEvents},
};
use std::sync::Arc;

/// Says what changes tell, and records it once they are committed.
#[derive(Clone)]
pub(crate) struct Recorder {
    entropy: Arc<dyn Entropy>,
    events: Arc<dyn SecurityEvents>,
}

impl Recorder {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self::with(ports.entropy.clone(), ports.events.clone())
    }

    pub(crate) fn with(entropy: Arc<dyn Entropy>, events: Arc<dyn SecurityEvents>) -> Self {
        Self { entropy, events }
    }

    /// For the method of a port: what each outcome tells.
    pub(crate) fn tell<O, T: Into<Told>>(
        &self,
        at: Timestamp,
        actor: Actor,
        told: impl Fn(&O) -> T + Send + Sync + 'static,
    ) -> Tell<O> {
        Tell::new(EventId::from_random(self.entropy.bytes()), at, actor, told)
    }

    /// The outcome is committed.
    pub(crate) fn record<O>(&self, tell: &Tell<O>, outcome: &O) {
        for event in tell.told(outcome).events {
            self.events.record(event);
        }
    }

    /// This happened and is in no commit.
    pub(crate) fn record_event(&self, event: SecurityEvent) {
        self.events.record(event);
    }
}
