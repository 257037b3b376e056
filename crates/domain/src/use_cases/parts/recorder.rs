//! What a change tells: in its commit, and then to those who watch.

use super::ServicePorts;
use crate::{
    journal::{Actor, MailFacts, MailKind, NewMail, SecurityEvent, Tell, Told},
    model::{ClientInfo, DeliveryId, EventId, Timestamp, User},
    ports::{Entropy, MailBell, SecurityEvents},
};
use std::{sync::Arc, time::Duration};

/// Says what changes tell, and records it once they are committed.
#[derive(Clone)]
pub(crate) struct Recorder {
    entropy: Arc<dyn Entropy>,
    events: Arc<dyn SecurityEvents>,
    /// `None` where this process sends no mail.
    bell: Option<Arc<dyn MailBell>>,
    /// How long a notice is tried; `None` where no mails leave.
    mail: Option<Duration>,
}

impl Recorder {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            bell: Some(ports.mail_bell.clone()),
            ..Self::with(
                ports.entropy.clone(),
                ports.events.clone(),
                ports.accounts.mail.then_some(ports.accounts.mail_max_age),
            )
        }
    }

    pub(crate) fn with(
        entropy: Arc<dyn Entropy>,
        events: Arc<dyn SecurityEvents>,
        mail: Option<Duration>,
    ) -> Self {
        Self {
            entropy,
            events,
            bell: None,
            mail,
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

    /// A mail that tells the owner of an account what has happened; none where the service sends no mail.
    pub(crate) fn notice(
        &self,
        kind: MailKind,
        account: &User,
        client: &ClientInfo,
        at: Timestamp,
    ) -> Option<NewMail> {
        self.draft(kind, at).map(|draft| draft.to(account, client))
    }

    /// The same, where only the outcome says whom it goes to.
    pub(crate) fn draft(&self, kind: MailKind, at: Timestamp) -> Option<NoticeDraft> {
        self.mail.map(|max_age| NoticeDraft {
            id: DeliveryId::from_random(self.entropy.bytes()),
            kind,
            at,
            expires_at: at.plus(max_age),
        })
    }

    /// The outcome is committed.
    pub(crate) fn record<O>(&self, tell: &Tell<O>, outcome: &O) {
        let Told { events, mails } = tell.told(outcome);
        for event in events {
            self.events.record(event);
        }
        self.ring(&mails);
    }

    /// These mails are committed.
    pub(crate) fn ring(&self, mails: &[NewMail]) {
        if let Some(bell) = self.bell.as_ref().filter(|_| !mails.is_empty()) {
            bell.ring();
        }
    }

    /// This happened and is in no commit.
    pub(crate) fn record_event(&self, event: SecurityEvent) {
        self.events.record(event);
    }
}

/// A mail that tells of something, without its reader.
pub(crate) struct NoticeDraft {
    id: DeliveryId,
    kind: MailKind,
    at: Timestamp,
    expires_at: Timestamp,
}

impl NoticeDraft {
    /// The mail to the owner of an account.
    pub(crate) fn to(&self, account: &User, client: &ClientInfo) -> NewMail {
        NewMail {
            id: self.id,
            kind: self.kind,
            to: account.email.clone(),
            locale: account.details.locale.clone(),
            user: Some(account.id),
            proof: None,
            facts: facts(client, self.at),
            expires_at: self.expires_at,
        }
    }
}

/// What a mail tells of the request that caused it.
pub(crate) fn facts(client: &ClientInfo, at: Timestamp) -> MailFacts {
    MailFacts {
        at: Some(at),
        address: client.address,
        client: client
            .user_agent
            .as_ref()
            .map(|agent| agent.as_str().to_owned()),
        subject: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{MailFacts, MailKind, NewMail},
        model::{
            AccountVersion, AppData, DeliveryId, Details, EmailAddress, Epoch, Roles, SetUpFactors,
            UserId,
        },
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
    fn a_notice_is_tried_for_as_long_as_mails_may_be() {
        let heard = Arc::new(Heard::default());
        let at = Timestamp::from_seconds(0);
        let account = User {
            factors: SetUpFactors::default(),
            id: UserId::from_random([1; 16]),
            email: EmailAddress::parse("ann@example.org").expect("an address"),
            email_verified_at: None,
            details: Details::default(),
            created_at: at,
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
            roles: Roles::default(),
            app: AppData::default(),
            version: AccountVersion::at(at),
        };
        let max_age = Duration::from_hours(3);
        for (mail, expires_at) in [(None, None), (Some(max_age), Some(at.plus(max_age)))] {
            let recorder = Recorder::with(heard.clone(), heard.clone(), mail);
            let client = ClientInfo::default();
            let notice = recorder.notice(MailKind::AccountDisabled, &account, &client, at);
            assert_eq!(notice.map(|notice| notice.expires_at), expires_at);
        }
    }

    #[test]
    fn a_committed_mail_rings_the_bell() {
        let heard = Arc::new(Heard::default());
        let recorder = Recorder {
            bell: Some(heard.clone()),
            ..Recorder::with(heard.clone(), heard.clone(), None)
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
