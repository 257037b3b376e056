//! Deliveries as an operator reads them, or a program. Facts of the request that caused a mail are its reader's, and stay out.

use crate::cli::{answer::CommandOutput, user::instant};
use revolve_domain::{
    deliveries::{Delivery, DeliveryState},
    model::{Locale, Timestamp},
};
use serde::Serialize;
use std::fmt::Write;

/// The state in a word: `waiting`, `sending` or `given_up`.
fn state(delivery: &Delivery, now: Timestamp) -> &'static str {
    match delivery.state {
        DeliveryState::Waiting if delivery.leased_until.is_some_and(|until| until > now) => {
            "sending"
        }
        state => state.as_str(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryMembers {
    id: String,
    mail: &'static str,
    state: &'static str,
    to: String,
    user: Option<String>,
    locale: Option<String>,
    /// How many more of its kind it stands for.
    more: u32,
    created_at: String,
    due_at: String,
    /// Once it was given up: when it is forgotten.
    next_at: String,
    expires_at: String,
    attempts: u32,
    last_error: Option<String>,
}

impl DeliveryMembers {
    pub(super) fn new(delivery: &Delivery, now: Timestamp) -> Self {
        let mail = &delivery.mail;
        Self {
            id: mail.id.to_string(),
            mail: mail.kind.as_str(),
            state: state(delivery, now),
            to: mail.to.as_str().to_owned(),
            user: mail.user.map(|user| user.to_string()),
            locale: mail.locale.as_ref().map(Locale::to_string),
            more: delivery.more,
            created_at: instant(delivery.created_at),
            due_at: instant(delivery.due_at),
            next_at: instant(delivery.next_at),
            expires_at: instant(mail.expires_at),
            attempts: delivery.attempts,
            last_error: delivery.last_error.clone(),
        }
    }
}

impl CommandOutput for DeliveryMembers {
    fn text(&self) -> String {
        let next = match self.state {
            "given_up" => "forgotten at",
            "sending" => "leased until",
            _ => "tried at",
        };
        let attempts = self.attempts.to_string();
        let more = (self.more > 0).then(|| self.more.to_string());
        let mut text = String::new();
        for (name, value) in [
            ("id", Some(self.id.as_str())),
            ("mail", Some(self.mail)),
            ("state", Some(self.state)),
            ("to", Some(self.to.as_str())),
            ("user", self.user.as_deref()),
            ("language", self.locale.as_deref()),
            ("created at", Some(self.created_at.as_str())),
            ("due since", Some(self.due_at.as_str())),
            (next, Some(self.next_at.as_str())),
            ("sent until", Some(self.expires_at.as_str())),
            ("attempts", Some(attempts.as_str())),
            ("stands for more", more.as_deref()),
            ("last error", self.last_error.as_deref()),
        ] {
            if let Some(value) = value {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{name:16} {value}");
            }
        }
        text
    }
}

#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct DeliveryTable(pub(super) Vec<DeliveryMembers>);

impl CommandOutput for DeliveryTable {
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "there are no such mails\n".to_owned();
        }
        let mut text = format!(
            "{:36}  {:8}  {:16}  {:20}  {:20}  {:5}  TO\n",
            "ID", "STATE", "MAIL", "DUE", "NEXT", "TRIED"
        );
        for row in &self.0 {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{}  {:8}  {:16}  {:20}  {:20}  {:5}  {}",
                row.id, row.state, row.mail, row.due_at, row.next_at, row.attempts, row.to
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::{
        journal::{MailFacts, MailKind, NewMail},
        model::{DeliveryId, EmailAddress},
    };
    use std::time::Duration;

    #[test]
    fn a_delivery_is_being_sent_while_its_lease_lasts() {
        let now = Timestamp::from_seconds(1_900_000_000);
        let mut delivery = Delivery {
            mail: NewMail {
                id: DeliveryId::from_random([1; 16]),
                kind: MailKind::NewDevice,
                to: EmailAddress::parse("ann@example.org").unwrap(),
                locale: None,
                user: None,
                proof: None,
                facts: MailFacts::default(),
                expires_at: now,
            },
            more: 0,
            state: DeliveryState::Waiting,
            created_at: now,
            due_at: now,
            next_at: now,
            leased_until: None,
            attempts: 0,
            last_error: None,
        };
        assert_eq!(state(&delivery, now), "waiting");
        delivery.leased_until = Some(now.plus(Duration::from_secs(1)));
        assert_eq!(state(&delivery, now), "sending");
        assert_eq!(
            state(&delivery, now.plus(Duration::from_secs(1))),
            "waiting"
        );
        delivery.state = DeliveryState::GivenUp;
        assert_eq!(state(&delivery, now), "given_up");
    }
}
