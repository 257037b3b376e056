//! The outbox at work: what is sent, when, how often, and what is not.

mod fair;
mod sending;

use revolve_domain::{
    deliveries::{Delivery, DeliveryQuery, InFlight, SendLimits},
    journal::{MailFacts, MailKind, NewMail},
    model::{
        AccountVersion, AppData, DeliveryId, Details, EmailAddress, Epoch, PasswordHash, ProofId,
        Roles, SetUpFactors, User, UserId,
    },
    ports::{Clock, Deliveries, Entropy, UserRepository},
    use_cases::{MailPorts, SendMails},
};
use revolve_testkit::{
    memory::{
        FakeClock, Faulty, MemoryAccounts, RecordedEvents, RecordedMails, SeededEntropy, TestProofs,
    },
    untold,
};
use std::{sync::Arc, time::Duration};

const DAY: Duration = Duration::from_hours(24);

const LIMITS: SendLimits = SendLimits {
    slots: 8,
    share: 2,
    rate: 100,
    lease: Duration::from_mins(1),
};

/// An outbox and those who send from it.
struct Post {
    deliveries: Arc<Faulty<MemoryAccounts>>,
    mails: Arc<RecordedMails>,
    proofs: Arc<TestProofs>,
    events: Arc<RecordedEvents>,
    clock: Arc<FakeClock>,
    entropy: Arc<SeededEntropy>,
}

impl Post {
    fn new() -> Self {
        Self {
            deliveries: Arc::new(Faulty::new(MemoryAccounts::default())),
            mails: Arc::default(),
            proofs: Arc::default(),
            events: Arc::default(),
            clock: Arc::default(),
            entropy: Arc::new(SeededEntropy::new(1)),
        }
    }

    fn send(&self) -> SendMails {
        SendMails::new(MailPorts {
            deliveries: self.deliveries.clone(),
            mailer: self.mails.clone(),
            proofs: self.proofs.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            events: self.events.clone(),
        })
    }

    /// A mail to Ann, of no account, that may be sent for a day.
    fn mail(&self, kind: MailKind) -> NewMail {
        NewMail {
            id: DeliveryId::from_random(self.entropy.bytes()),
            kind,
            to: EmailAddress::parse("ann@example.org").expect("an address"),
            locale: None,
            user: None,
            proof: None,
            facts: MailFacts::default(),
            expires_at: self.clock.now().plus(DAY),
        }
    }

    /// The same with a proof.
    fn proof(&self, kind: MailKind) -> NewMail {
        NewMail {
            proof: Some(ProofId::from_random(self.entropy.bytes())),
            ..self.mail(kind)
        }
    }

    /// Ann's account.
    async fn account(&self) -> UserId {
        let created_at = self.clock.now();
        let ann = User {
            factors: SetUpFactors::default(),
            id: UserId::from_random(self.entropy.bytes()),
            email: EmailAddress::parse("ann@example.org").expect("an address"),
            email_verified_at: None,
            details: Details::default(),
            created_at,
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
            roles: Roles::default(),
            app: AppData::default(),
            version: AccountVersion::at(created_at),
        };
        let hash = PasswordHash::from_phc("$test$v=1$ann".to_owned());
        let added = self.deliveries.inner().add(&ann, &hash, &untold()).await;
        added.expect("memory works");
        ann.id
    }

    fn commit(&self, mails: &[NewMail]) {
        self.deliveries
            .inner()
            .commit_mails(self.clock.now(), mails);
    }

    /// Leases everything that is due.
    async fn lease(&self) -> Vec<Delivery> {
        let mut in_flight = InFlight::new(LIMITS);
        let request = in_flight.request(self.clock.now()).expect("there is room");
        self.send().lease(&request).await.expect("memory works")
    }

    /// Sends everything that is due, one after the other.
    async fn run(&self) {
        for delivery in self.lease().await {
            let send = self.send();
            let settled = send.attempt(&delivery).await.expect("memory works");
            assert!(
                send.settle(&delivery, &settled)
                    .await
                    .expect("memory works")
            );
        }
    }

    /// The ids of the mails that arrived since the last call.
    fn arrived(&self) -> Vec<DeliveryId> {
        self.mails.take().iter().map(|mail| mail.id).collect()
    }

    async fn left(&self) -> Vec<Delivery> {
        let all = DeliveryQuery {
            state: None,
            limit: 1000,
        };
        self.deliveries.list(all).await.expect("memory works")
    }
}
