//! What operators do with deliveries, and see of them.

use super::{
    DeliveriesSubject, again, all, at, delivery_id, find, given_up, ids, insert, lease, lease_one,
    mail, of_no_account, settle, sorted,
};
use crate::contract::given::event_id;
use revolve_domain::{
    deliveries::{Backlog, DeliveryQuery, DeliveryState},
    journal::{Actor, SecurityEvent, Tell},
    model::DeliveryId,
    ports::JournalQuery,
};

/// What pauses or was given up is due now, with time enough; what is being sent, was never tried or is gone stays as it is.
pub async fn an_operator_retries_what_was_tried(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let [pausing, gone, leased, fresh] =
        ["a.example", "b.example", "c.example", "d.example"].map(of_no_account);
    insert(&outbox, &[(0, &pausing), (0, &gone), (0, &leased)]).await;
    let sending = lease(&outbox, 0).await;
    assert!(settle(&outbox, &sending[0], again(1000)).await);
    assert!(settle(&outbox, &sending[1], given_up(1)).await);
    insert(&outbox, &[(5, &fresh)]).await;
    let asked = [pausing.id, gone.id, leased.id, fresh.id, delivery_id()];
    let until = at(48 * 3600);
    let told = |done: &Vec<DeliveryId>| {
        let retried = done
            .iter()
            .map(|&delivery| SecurityEvent::MailRetried { delivery });
        retried.collect::<Vec<_>>()
    };
    let tell = Tell::new(event_id(), at(10), Actor::Operator, told);
    let done = outbox.retry(&asked, at(10), until, &tell).await;
    assert_eq!(
        sorted(done.expect("retry works")),
        sorted(vec![pausing.id, gone.id])
    );
    let query = JournalQuery {
        event: Some("mail.retried".to_owned()),
        limit: 10,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    assert_eq!(entries.len(), 2, "each is written down: {entries:?}");
    for (mail, due) in [(&pausing, at(0)), (&gone, at(10))] {
        let row = find(&outbox, mail).await.expect("it is there");
        assert_eq!((row.state, row.attempts), (DeliveryState::Waiting, 1));
        assert_eq!((row.next_at, row.due_at), (at(10), due));
        assert_eq!(row.mail.expires_at, until);
    }
    assert_eq!(
        find(&outbox, &leased).await.as_ref(),
        Some(&sending[2]),
        "it is being sent"
    );
    assert_eq!(
        ids(&lease(&outbox, 10).await),
        [pausing.id, gone.id, fresh.id]
    );
}

/// Whatever state it is in; nobody's lease brings it back.
pub async fn an_operator_drops_what_there_is(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let [leased, fresh, kept] = [0, 1, 2].map(|_| mail("example.org"));
    insert(&outbox, &[(0, &leased)]).await;
    let lease = lease_one(&outbox, 0).await;
    insert(&outbox, &[(1, &fresh), (2, &kept)]).await;
    let asked = [leased.id, fresh.id, delivery_id()];
    let done = outbox.remove(&asked).await.expect("remove works");
    assert_eq!(sorted(done), sorted(vec![leased.id, fresh.id]));
    assert!(!settle(&outbox, &lease, again(30)).await);
    assert_eq!(ids(&all(&outbox).await), [kept.id]);
}

/// As many as are asked for, in the state that is asked for.
pub async fn a_list_has_the_longest_due_first(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let [first, second, third] = ["b.example", "c.example", "a.example"].map(of_no_account);
    insert(&outbox, &[(0, &first)]).await;
    let leased = lease_one(&outbox, 0).await;
    assert!(settle(&outbox, &leased, given_up(0)).await);
    insert(&outbox, &[(3, &third), (2, &second)]).await;
    let list = async |state, limit| {
        let listed = outbox.list(DeliveryQuery { state, limit }).await;
        ids(&listed.expect("list works"))
    };
    assert_eq!(list(None, 10).await, [first.id, second.id, third.id]);
    assert_eq!(list(None, 2).await, [first.id, second.id]);
    let waiting = Some(DeliveryState::Waiting);
    assert_eq!(list(waiting, 10).await, [second.id, third.id]);
    assert_eq!(list(Some(DeliveryState::GivenUp), 10).await, [first.id]);
}

/// What is due is due since it was to be sent first, however often it was tried.
pub async fn the_backlog_says_what_waits_and_since_when(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let backlog = async |seconds| outbox.backlog(at(seconds)).await.expect("backlog works");
    assert_eq!(backlog(0).await, Backlog::default());
    let [pausing, gone, fresh] = ["a.example", "b.example", "c.example"].map(of_no_account);
    insert(&outbox, &[(1, &pausing), (2, &gone)]).await;
    let leased = lease(&outbox, 5).await;
    assert!(settle(&outbox, &leased[0], again(500)).await);
    assert!(settle(&outbox, &leased[1], given_up(6)).await);
    insert(&outbox, &[(100, &fresh)]).await;
    let expected = Backlog {
        waiting: 2,
        oldest_due: Some(at(1)),
        given_up: 1,
    };
    assert_eq!(backlog(100).await, expected);
    let early = Backlog {
        oldest_due: None,
        ..expected
    };
    assert_eq!(backlog(0).await, early, "nothing is due yet");
}
