//! Sends the mails of the outbox.

use crate::{
    deliveries::{Delivery, LeaseRequest, Settled, pause},
    journal::Actor,
    model::{EmailAddress, Timestamp},
    ports::{
        Clock, Deliveries, Entropy, Mail, MailError, MailProof, MailProofs, Mailer, SecurityEvent,
        SecurityEvents, StoreError,
    },
    use_cases::parts::Recorder,
};
use secrecy::ExposeSecret;
use std::{error::Error, sync::Arc};

/// The most characters of a reason that are stored.
const REASON: usize = 300;

/// The ports of those who send mail.
#[derive(Clone)]
#[expect(missing_docs, reason = "the trait of each field says what it is")]
pub struct MailPorts {
    pub deliveries: Arc<dyn Deliveries>,
    pub mailer: Arc<dyn Mailer>,
    pub proofs: Arc<dyn MailProofs>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub events: Arc<dyn SecurityEvents>,
}

/// Leases mails, sends them and stores what became of them. Whoever calls it decides how many at once (see
/// [`InFlight`](crate::deliveries::InFlight)).
#[derive(Clone)]
pub struct SendMails {
    ports: MailPorts,
    recorder: Recorder,
}

impl SendMails {
    /// Sends through these ports.
    pub fn new(ports: MailPorts) -> Self {
        Self {
            // It orders no mails.
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), None),
            ports,
        }
    }

    /// The time that requests and leases are measured by.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Leases what is due.
    ///
    /// # Errors
    /// When the store fails. What it leased is due again once the lease has run out.
    pub async fn lease(&self, request: &LeaseRequest) -> Result<Vec<Delivery>, StoreError> {
        self.ports.deliveries.lease(request).await
    }

    /// Sends one and answers what became of it, which must be stored by [`Self::settle`].
    ///
    /// # Errors
    /// When the proof of the mail could not be read. Nothing was sent.
    pub async fn attempt(&self, delivery: &Delivery) -> Result<Settled, StoreError> {
        let ordered = &delivery.mail;
        if ordered.expires_at <= self.now() {
            return Ok(self.too_late(delivery, "it was not sent in time".to_owned()));
        }
        let proof = match ordered.proof {
            None => None,
            Some(id) => match self.ports.proofs.open(id, &ordered.to).await? {
                None if ordered.kind.asks() => return Ok(Settled::Dropped),
                // What has happened is told all the same, without a link.
                open => open,
            },
        };
        let mail = Mail {
            id: ordered.id,
            kind: ordered.kind,
            to: ordered.to.clone(),
            locale: ordered.locale.clone(),
            facts: ordered.facts.clone(),
            more: delivery.more,
            proof,
        };
        let sent = self.ports.mailer.send(&mail).await;
        let at = self.now();
        Ok(match sent {
            Ok(()) => Settled::Sent { at },
            Err(MailError::Refused(error)) => Settled::GivenUp {
                at,
                error: reason(error.as_ref(), &mail),
            },
            Err(MailError::Unsent(error)) => self.again(delivery, reason(error.as_ref(), &mail)),
        })
    }

    /// What becomes of one that was not sent this time: another attempt after a pause, if it is still worth one then.
    fn again(&self, delivery: &Delivery, error: String) -> Settled {
        let at = self
            .now()
            .plus(pause(delivery.attempts, self.ports.entropy.bytes()));
        if at >= delivery.mail.expires_at {
            self.too_late(delivery, error)
        } else {
            Settled::Again { at, error }
        }
    }

    /// What becomes of one whose attempt was cut off: another replica may try at once.
    pub fn cut_off(&self) -> Settled {
        Settled::Again {
            at: self.now(),
            error: "it was cut off".to_owned(),
        }
    }

    /// A mail that asks for something is of no use after its time; one that tells of something should have arrived.
    fn too_late(&self, delivery: &Delivery, error: String) -> Settled {
        if delivery.mail.kind.is_momentary() {
            Settled::Dropped
        } else {
            Settled::GivenUp {
                at: self.now(),
                error,
            }
        }
    }

    /// Stores what became of one. Answers whether it was still this replica's.
    ///
    /// # Errors
    /// When the store fails. What was sent may be sent once more if this is not tried again before the lease has run out.
    pub async fn settle(&self, delivery: &Delivery, settled: &Settled) -> Result<bool, StoreError> {
        let given_up =
            matches!(settled, Settled::GivenUp { .. }).then_some(SecurityEvent::MailGivenUp {
                user: delivery.mail.user,
                delivery: delivery.mail.id,
                mail: delivery.mail.kind,
            });
        let told = move |ours: &bool| -> Vec<SecurityEvent> {
            given_up.iter().filter(|_| *ours).cloned().collect()
        };
        let tell = self.recorder.tell(self.now(), Actor::System, told);
        let ours = self
            .ports
            .deliveries
            .settle(delivery, settled, &tell)
            .await?;
        self.recorder.record(&tell, &ours);
        Ok(ours)
    }
}

/// The error with its sources, on one line. Servers and filters quote what they dislike: code, link and address are taken out.
fn reason(error: &(dyn Error + 'static), mail: &Mail) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let source = error.to_string();
        if !text.ends_with(&source) {
            text = format!("{text}: {source}");
        }
        next = error.source();
    }
    for hidden in secrets(&mail.to, mail.proof.as_ref()) {
        text = without(&text, hidden);
    }
    let mut line: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    if let Some((end, _)) = line.char_indices().nth(REASON) {
        line.truncate(end);
        line.push('…');
    }
    line
}

fn secrets<'a>(to: &'a EmailAddress, proof: Option<&'a MailProof>) -> Vec<&'a str> {
    let mut secrets = vec![to.as_str(), to.key()];
    if let Some(proof) = proof {
        secrets.extend([proof.secret.expose_secret(), proof.code.expose_secret()]);
    }
    secrets
}

/// The text without a part, in whatever case its letters are.
fn without(text: &str, hidden: &str) -> String {
    let (lower, hidden) = (text.to_ascii_lowercase(), hidden.to_ascii_lowercase());
    if hidden.is_empty() {
        return text.to_owned();
    }
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(&hidden) {
        rest.push_str(&text[from..at]);
        rest.push('…');
        from = at + hidden.len();
    }
    rest.push_str(&text[from..]);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{MailFacts, MailKind},
        model::{DeliveryId, ProofId},
    };

    #[test]
    fn a_reason_quotes_no_address_code_or_link() {
        let mail = Mail {
            id: DeliveryId::from_random([1; 16]),
            kind: MailKind::ResetPassword,
            to: EmailAddress::parse("Ann@Example.org").expect("an address"),
            locale: None,
            facts: MailFacts::default(),
            more: 0,
            proof: Some(MailProof {
                id: ProofId::from_random([2; 16]),
                code: "123456".into(),
                secret: "sEcReT".into(),
                expires_at: Timestamp::from_seconds(0),
            }),
        };
        let error: Box<dyn Error + Send + Sync> =
            "550 <ann@example.org>:\r\n ANN@example.org got 123456, https://a.example/?s=sEcReT"
                .into();
        assert_eq!(
            reason(error.as_ref(), &mail),
            "550 <…>: … got …, https://a.example/?s=…"
        );
        let long: Box<dyn Error + Send + Sync> = "ü".repeat(1000).into();
        assert_eq!(reason(long.as_ref(), &mail).chars().count(), REASON + 1);
    }
}
