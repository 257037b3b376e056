//! The contract of the [`Deliveries`](revolve_domain::ports::Deliveries): leases, what becomes of them, and notices that are counted.

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod lease;
mod notices;
mod operators;
mod settle;
mod told;

pub use lease::*;
pub use notices::*;
pub use operators::*;
pub use settle::*;
pub use told::*;

use super::given::{START, hash, random, secs, user, user_id};
use crate::{contract::DeliveriesSubject, untold};
use revolve_domain::{
    deliveries::{Delivery, DeliveryQuery, Fairness, LeaseRequest, Settled},
    journal::{MailFacts, MailKind, NewMail},
    model::{DeliveryId, EmailAddress, EventId, ProofId, Timestamp, UserId},
    ports::AddOutcome,
};
use std::sync::Arc;

type Outbox = Arc<dyn revolve_domain::ports::Deliveries>;

/// How long leases of the cases last, in seconds.
const LEASE: u64 = 60;

fn at(seconds: u64) -> Timestamp {
    START.plus(secs(seconds))
}

fn address(local: &str, domain: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{local}@{domain}")).expect("an address")
}

fn event_id() -> EventId {
    EventId::from_random(random())
}

fn delivery_id() -> DeliveryId {
    DeliveryId::from_random(random())
}

/// A mail with a proof to an address of that domain.
fn mail(domain: &str) -> NewMail {
    NewMail {
        id: delivery_id(),
        kind: MailKind::ResetPassword,
        to: address("ann", domain),
        locale: None,
        user: Some(user_id()),
        proof: Some(ProofId::from_random(random())),
        facts: MailFacts::default(),
        expires_at: at(24 * 3600),
    }
}

/// The same of no account: what is given up of an account that is not there is not kept.
fn of_no_account(domain: &str) -> NewMail {
    NewMail {
        user: None,
        ..mail(domain)
    }
}

/// An account: sent notices of others begin no pause.
async fn account(subject: &impl DeliveriesSubject) -> UserId {
    let ann = user();
    let added = subject.users().add(&ann, &hash("a"), &untold()).await;
    assert_eq!(added.expect("add works"), AddOutcome::Added);
    ann.id
}

/// A notice to an account.
fn notice(user: UserId, kind: MailKind) -> NewMail {
    NewMail {
        kind,
        user: Some(user),
        proof: None,
        ..mail("example.org")
    }
}

/// Inserts mails, each this many seconds after the start.
async fn insert(outbox: &Outbox, mails: &[(u64, &NewMail)]) {
    for (seconds, mail) in mails {
        outbox
            .insert(at(*seconds), std::slice::from_ref(*mail))
            .await
            .expect("insert works");
    }
}

/// Asks for everything that is due this many seconds after the start.
fn request(seconds: u64) -> LeaseRequest {
    LeaseRequest {
        at: at(seconds),
        until: at(seconds + LEASE),
        limit: 100,
        after: String::new(),
        fairness: Fairness {
            share: 100,
            ..Fairness::default()
        },
    }
}

async fn lease(outbox: &Outbox, seconds: u64) -> Vec<Delivery> {
    outbox.lease(&request(seconds)).await.expect("lease works")
}

/// The one delivery that is due.
async fn lease_one(outbox: &Outbox, seconds: u64) -> Delivery {
    let leased = lease(outbox, seconds).await;
    let [one] = <[Delivery; 1]>::try_from(leased).expect("one is due");
    one
}

async fn settle(outbox: &Outbox, delivery: &Delivery, settled: Settled) -> bool {
    outbox
        .settle(delivery, &settled, &untold())
        .await
        .expect("settle works")
}

async fn sent(outbox: &Outbox, delivery: &Delivery, seconds: u64) {
    assert!(settle(outbox, delivery, Settled::Sent { at: at(seconds) }).await);
}

fn again(seconds: u64) -> Settled {
    Settled::Again {
        at: at(seconds),
        error: "the server is busy".to_owned(),
    }
}

fn given_up(seconds: u64) -> Settled {
    Settled::GivenUp {
        at: at(seconds),
        error: "no such mailbox".to_owned(),
    }
}

async fn all(outbox: &Outbox) -> Vec<Delivery> {
    let query = DeliveryQuery {
        state: None,
        limit: 1000,
    };
    outbox.list(query).await.expect("list works")
}

async fn find(outbox: &Outbox, mail: &NewMail) -> Option<Delivery> {
    outbox.find(mail.id).await.expect("find works")
}

fn ids(deliveries: &[Delivery]) -> Vec<DeliveryId> {
    deliveries.iter().map(|delivery| delivery.mail.id).collect()
}

fn sorted(mut ids: Vec<DeliveryId>) -> Vec<DeliveryId> {
    ids.sort_unstable();
    ids
}
