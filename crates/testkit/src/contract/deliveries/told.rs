//! Mails and what is told of them, in the commit of a change.

use super::{
    DeliveriesSubject, LEASE, all, at, event_id, find, given_up, insert, lease, lease_one, mail,
    notice, of_no_account,
};
use crate::{
    contract::given::{hash, user},
    untold,
};
use revolve_domain::{
    journal::{Actor, MailKind, NewMail, Tell, Told},
    model::User,
    ports::{AddOutcome, JournalQuery, SecurityEvent},
};

/// Tells of an account that was added, and nothing of one that was not.
fn welcome(mail: &NewMail) -> Tell<AddOutcome> {
    let mail = mail.clone();
    Tell::new(
        event_id(),
        at(7),
        Actor::Operator,
        move |outcome: &AddOutcome| Told {
            events: Vec::new(),
            mails: (*outcome == AddOutcome::Added)
                .then(|| mail.clone())
                .into_iter()
                .collect(),
        },
    )
}

/// It is due from the time of the change.
pub async fn a_mail_is_committed_with_what_it_tells(subject: &impl DeliveriesSubject) {
    let (users, outbox) = (subject.users(), subject.deliveries());
    let (ann, first) = (user(), mail("example.org"));
    let added = users.add(&ann, &hash("a"), &welcome(&first)).await;
    assert_eq!(added.expect("add works"), AddOutcome::Added);
    let stored = find(&outbox, &first).await.expect("it is there");
    assert_eq!((stored.mail, stored.due_at), (first, at(7)));
}

/// What did not happen is told to nobody.
pub async fn a_refused_change_sends_no_mail(subject: &impl DeliveriesSubject) {
    let (users, outbox) = (subject.users(), subject.deliveries());
    let ann = user();
    let added = users.add(&ann, &hash("a"), &untold()).await;
    assert_eq!(added.expect("add works"), AddOutcome::Added);
    let same = User {
        email: ann.email.clone(),
        ..user()
    };
    let second = mail("example.org");
    let added = users.add(&same, &hash("b"), &welcome(&second)).await;
    assert_eq!(added.expect("add works"), AddOutcome::EmailTaken);
    assert_eq!(all(&outbox).await, []);
}

/// The journal says so in the same commit, once, and not for a lease that was followed.
pub async fn what_is_given_up_is_journaled(subject: &impl DeliveriesSubject) {
    let (outbox, journal) = (subject.deliveries(), subject.journal());
    let ordered = mail("example.org");
    insert(&outbox, &[(0, &ordered)]).await;
    let first = lease_one(&outbox, 0).await;
    let second = lease_one(&outbox, LEASE).await;
    let event = SecurityEvent::MailGivenUp {
        user: ordered.user,
        delivery: ordered.id,
        mail: ordered.kind,
    };
    for (leased, ours) in [(&first, false), (&second, true), (&second, false)] {
        let event = event.clone();
        let told = move |ours: &bool| -> Vec<SecurityEvent> {
            ours.then(|| event.clone()).into_iter().collect()
        };
        let tell = Tell::new(event_id(), at(LEASE), Actor::System, told);
        let settled = outbox.settle(leased, &given_up(LEASE), &tell).await;
        assert_eq!(settled.expect("settle works"), ours);
    }
    let query = JournalQuery {
        user: ordered.user,
        limit: 10,
        ..JournalQuery::default()
    };
    let entries = journal.read(&query).await.expect("read works");
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(
        (entry.event.as_str(), entry.actor),
        ("mail.given_up", Actor::System)
    );
    assert_eq!(entry.details["delivery"], ordered.id.to_string());
    assert_eq!(entry.details["mail"], ordered.kind.as_str());
}

/// Nobody needs what could not be sent to somebody who is gone; what is still to be sent is, also that the account was deleted.
pub async fn a_deletion_forgets_what_was_given_up(subject: &impl DeliveriesSubject) {
    let (users, outbox) = (subject.users(), subject.deliveries());
    let ann = user();
    let added = users.add(&ann, &hash("a"), &untold()).await;
    assert_eq!(added.expect("add works"), AddOutcome::Added);
    let [gone, waiting, farewell] = [
        MailKind::PasswordChanged,
        MailKind::NewDevice,
        MailKind::AccountDeleted,
    ]
    .map(|kind| notice(ann.id, kind));
    let other = of_no_account("example.org");
    insert(&outbox, &[(0, &gone), (0, &other)]).await;
    for leased in lease(&outbox, 0).await {
        let settled = given_up(1);
        assert!(super::settle(&outbox, &leased, settled).await);
    }
    insert(&outbox, &[(2, &waiting)]).await;
    let told = farewell.clone();
    let tell = Tell::new(event_id(), at(3), Actor::Operator, move |done: &bool| {
        Told {
            events: Vec::new(),
            mails: done.then(|| told.clone()).into_iter().collect(),
        }
    });
    let deleted = users.delete(ann.id, None, at(3), &tell).await;
    assert!(deleted.expect("delete works"));
    assert_eq!(find(&outbox, &gone).await, None);
    for kept in [&other, &waiting, &farewell] {
        assert!(find(&outbox, kept).await.is_some(), "{kept:?}");
    }
}

/// Its address must not stay behind, and it is told all the same.
pub async fn what_is_given_up_after_the_deletion_is_forgotten_at_once(
    subject: &impl DeliveriesSubject,
) {
    let (users, outbox) = (subject.users(), subject.deliveries());
    let ann = user();
    let added = users.add(&ann, &hash("a"), &untold()).await;
    assert_eq!(added.expect("add works"), AddOutcome::Added);
    let farewell = notice(ann.id, MailKind::AccountDeleted);
    insert(&outbox, &[(0, &farewell)]).await;
    let deleted = users.delete(ann.id, None, at(1), &untold()).await;
    assert!(deleted.expect("delete works"));
    let leased = lease_one(&outbox, 2).await;
    let event = SecurityEvent::MailGivenUp {
        user: farewell.user,
        delivery: farewell.id,
        mail: farewell.kind,
    };
    let told = move |ours: &bool| -> Vec<SecurityEvent> {
        ours.then(|| event.clone()).into_iter().collect()
    };
    let tell = Tell::new(event_id(), at(3), Actor::System, told);
    let settled = outbox.settle(&leased, &given_up(3), &tell).await;
    assert!(settled.expect("settle works"), "the lease was ours");
    assert_eq!(find(&outbox, &farewell).await, None);
    let query = JournalQuery {
        user: farewell.user,
        limit: 10,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    let names: Vec<_> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(names, ["mail.given_up"]);
}
