//! What a change tells: in its commit, and then to those who watch.

use super::ServicePorts;
use crate::{
    journal::{Actor, Tell, Told},
    model::{EventId, Timestamp},
    ports::{Entropy, MailBell, SecurityEvent, SecurityEvents},
};
use std::sync::Arc;

/// Says what changes tell, and records it once they are committed.
#[derive(Clone)]
pub(crate) struct Recorder {
    entropy: Arc<dyn Entropy>,
    events: Arc<dyn SecurityEvents>,
    /// `None` for operators' commands, which send no mail themselves.
    bell: Option<Arc<dyn MailBell>>,
}

impl Recorder {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            bell: Some(ports.bell.clone()),
            ..Self::with(ports.entropy.clone(), ports.events.clone())
        }
    }

    pub(crate) fn with(entropy: Arc<dyn Entropy>, events: Arc<dyn SecurityEvents>) -> Self {
        Self {
            entropy,
            events,
            bell: None,
        }
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
        let Told { events, mails } = tell.told(outcome);
        for event in events {
            self.events.record(event);
        }
        if let Some(bell) = self.bell.as_ref().filter(|_| !mails.is_empty()) {
            bell.ring();
        }
    }

    /// This happened and is in no commit.
    pub(crate) fn record_event(&self, event: SecurityEvent) {
        self.events.record(event);
    }
}
