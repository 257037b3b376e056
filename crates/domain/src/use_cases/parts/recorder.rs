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
    /// `None` where this process sends no mail.
    bell: Option<Arc<dyn MailBell>>,
}

impl Recorder {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            bell: Some(ports.mail_bell.clone()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{MailFacts, MailKind, NewMail},
        model::{DeliveryId, EmailAddress, UserId},
    };
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Default)]
    struct Heard {
        events: AtomicU32,
        rings: AtomicU32,
    }

    impl Entropy for Heard {
        fn bytes(&self) -> [u8; 16] {
            [7; 16]
        }
    }

    impl SecurityEvents for Heard {
        fn record(&self, _: SecurityEvent) {
            self.events.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl MailBell for Heard {
        fn ring(&self) {
            self.rings.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_committed_mail_rings_the_bell() {
        let heard = Arc::new(Heard::default());
        let recorder = Recorder {
            bell: Some(heard.clone()),
            ..Recorder::with(heard.clone(), heard.clone())
        };
        let at = Timestamp::from_seconds(0);
        let user = UserId::from_random([1; 16]);
        let mail = NewMail {
            id: DeliveryId::from_random([2; 16]),
            kind: MailKind::AccountDisabled,
            to: EmailAddress::parse("ann@example.org").expect("an address"),
            locale: None,
            user: Some(user),
            proof: None,
            facts: MailFacts::default(),
            expires_at: at,
        };
        let tell = recorder.tell(at, Actor::Operator, move |mailed: &bool| Told {
            events: vec![SecurityEvent::AccountDisabled { user }],
            mails: mailed.then(|| mail.clone()).into_iter().collect(),
        });
        for (mailed, rings) in [(false, 0), (true, 1)] {
            recorder.record(&tell, &mailed);
            assert_eq!(heard.rings.load(Ordering::Relaxed), rings);
        }
        assert_eq!(heard.events.load(Ordering::Relaxed), 2);
    }
}
