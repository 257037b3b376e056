//! Leases: what is due, to one caller at a time, and fair to all destinations.

use super::{
    DeliveriesSubject, LEASE, address, all, at, find, ids, insert, lease, lease_one, mail, request,
    settle, sorted,
};
use crate::contract::given::at_once;
use revolve_domain::{
    deliveries::{DeliveryState, Settled},
    journal::{MailFacts, MailKind, NewMail},
    model::DeliveryId,
};

/// Every field comes back unchanged, of every kind.
pub async fn a_mail_is_leased_as_it_was_inserted(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let plain = NewMail {
        user: None,
        proof: None,
        ..mail("example.org")
    };
    let full = NewMail {
        to: address("Ann.Ö", "bücher.example"),
        locale: Some("de-CH".parse().expect("a language")),
        facts: MailFacts {
            at: Some(at(1)),
            address: Some([192, 0, 2, 7].into()),
            client: Some("a \"browser\"\n with \u{0} and 🦊".to_owned()),
            subject: Some("new@example.org".to_owned()),
        },
        ..mail("example.org")
    };
    let kinds = MailKind::ALL.iter().map(|kind| NewMail {
        kind: *kind,
        ..mail("example.net")
    });
    let mails: Vec<NewMail> = [plain, full].into_iter().chain(kinds).collect();
    outbox.insert(at(2), &mails).await.expect("insert works");
    let leased = lease(&outbox, 3).await;
    assert_eq!(leased.len(), mails.len());
    for mail in &mails {
        let found = leased.iter().find(|delivery| delivery.mail.id == mail.id);
        let found = found.expect("it is leased");
        assert_eq!(found.mail, *mail);
        assert_eq!(found.mail.to.as_str(), mail.to.as_str(), "as it was typed");
        assert_eq!(
            (found.created_at, found.due_at, found.next_at),
            (at(2), at(2), at(3 + LEASE))
        );
        assert_eq!((found.attempts, found.more), (1, 0));
        assert_eq!(
            (found.state, found.leased_until),
            (DeliveryState::Waiting, Some(at(3 + LEASE)))
        );
    }
}

/// While a lease lasts nobody else gets the delivery; and nothing is due before its time.
pub async fn what_is_leased_is_nobody_elses(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let (now, later) = (mail("example.org"), mail("example.org"));
    insert(&outbox, &[(0, &now), (10, &later)]).await;
    assert_eq!(ids(&lease(&outbox, 9).await), [now.id]);
    assert_eq!(ids(&lease(&outbox, 9 + LEASE - 1).await), [later.id]);
    assert_eq!(lease(&outbox, 9 + LEASE - 1).await, []);
}

/// However many lease at once, each delivery goes to one of them.
pub async fn parallel_leases_share_what_is_due(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mails: Vec<NewMail> = (0..60)
        .map(|number| mail(&format!("host{}.example", number % 7)))
        .collect();
    outbox.insert(at(0), &mails).await.expect("insert works");
    let leased = at_once((0..12).map(|_| {
        let outbox = subject.deliveries();
        async move {
            let mut request = request(1);
            request.limit = 4;
            let mut leased: Vec<DeliveryId> = Vec::new();
            loop {
                let some = ids(&outbox.lease(&request).await.expect("lease works"));
                if some.is_empty() {
                    return leased;
                }
                leased.extend(some);
            }
        }
    }))
    .await;
    let mut leased = leased.concat();
    // One that looked while another one had the rows locked may have found nothing.
    leased.extend(ids(&lease(&outbox, 1).await));
    assert_eq!(
        sorted(leased),
        sorted(mails.iter().map(|mail| mail.id).collect()),
        "each of them once"
    );
}

/// A replica that is gone settles nothing: its lease runs out, and the attempt counts.
pub async fn a_lease_that_ran_out_is_due_again(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mail = mail("example.org");
    insert(&outbox, &[(0, &mail)]).await;
    assert_eq!(lease_one(&outbox, 0).await.attempts, 1);
    let again = lease_one(&outbox, LEASE).await;
    assert_eq!((again.mail.id, again.attempts), (mail.id, 2));
    assert_eq!(again.due_at, at(0), "it is due since then all the same");
}

/// A lease goes on after the domain that it names.
pub async fn domains_take_turns(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mails = ["c.example", "a.example", "b.example"].map(mail);
    outbox.insert(at(0), &mails).await.expect("insert works");
    let mut request = request(1);
    request.limit = 1;
    let mut turns = Vec::new();
    for _ in 0..3 {
        let [one] = outbox
            .lease(&request)
            .await
            .expect("lease works")
            .try_into()
            .expect("one is due");
        let one: revolve_domain::deliveries::Delivery = one;
        one.mail.to.domain().clone_into(&mut request.after);
        turns.push(request.after.clone());
    }
    assert_eq!(turns, ["a.example", "b.example", "c.example"]);
    assert_eq!(
        outbox.lease(&request).await.expect("lease works"),
        [],
        "none comes after the last"
    );
}

/// A crowded domain gets what it has room for, and the others get theirs.
pub async fn a_domain_has_no_more_than_its_room(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let crowd: Vec<NewMail> = (0..20).map(|_| mail("crowded.example")).collect();
    outbox.insert(at(0), &crowd).await.expect("insert works");
    let other = mail("other.example");
    insert(&outbox, &[(1, &other)]).await;
    let mut request = request(2);
    request.fairness.share = 3;
    request
        .fairness
        .held
        .insert("crowded.example".to_owned(), 1);
    let leased = outbox.lease(&request).await.expect("lease works");
    let domains: Vec<_> = leased.iter().map(|one| one.mail.to.domain()).collect();
    assert_eq!(
        domains,
        ["crowded.example", "crowded.example", "other.example"]
    );
    request
        .fairness
        .held
        .insert("crowded.example".to_owned(), 3);
    assert_eq!(outbox.lease(&request).await.expect("lease works"), []);
}

/// What is due for long does not wait behind what became due just now.
pub async fn within_a_domain_the_longest_due_come_first(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let [first, second, third] = [0, 1, 2].map(|_| mail("example.org"));
    insert(&outbox, &[(3, &third), (1, &first), (2, &second)]).await;
    let mut request = request(5);
    request.limit = 1;
    for expected in [&first, &second, &third] {
        let leased = outbox.lease(&request).await.expect("lease works");
        assert_eq!(ids(&leased), [expected.id]);
    }
}

/// It is not there any more, in no state.
pub async fn what_was_sent_is_gone(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mail = mail("example.org");
    insert(&outbox, &[(0, &mail)]).await;
    let leased = lease_one(&outbox, 0).await;
    assert!(settle(&outbox, &leased, Settled::Sent { at: at(1) }).await);
    assert_eq!(find(&outbox, &mail).await, None);
    assert_eq!(all(&outbox).await, []);
}
