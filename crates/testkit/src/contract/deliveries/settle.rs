//! What becomes of a lease.

use super::{
    DeliveriesSubject, LEASE, again, all, at, find, given_up, insert, lease, lease_one, mail,
    of_no_account, settle,
};
use crate::contract::given::secs;
use revolve_domain::deliveries::{DeliveryState, KEPT, Settled};

/// It is deleted without having been sent.
pub async fn what_lost_its_sense_is_gone(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mail = mail("example.org");
    insert(&outbox, &[(0, &mail)]).await;
    let leased = lease_one(&outbox, 0).await;
    assert!(settle(&outbox, &leased, Settled::Dropped).await);
    assert_eq!(all(&outbox).await, []);
}

/// It is due again at its time and no sooner, and says why it was not sent.
pub async fn what_is_tried_again_waits(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mail = mail("example.org");
    insert(&outbox, &[(0, &mail)]).await;
    let leased = lease_one(&outbox, 0).await;
    assert!(settle(&outbox, &leased, again(30)).await);
    let waiting = find(&outbox, &mail).await.expect("it is there");
    assert_eq!(
        (waiting.next_at, waiting.due_at, waiting.leased_until),
        (at(30), at(0), None)
    );
    assert_eq!(waiting.last_error.as_deref(), Some("the server is busy"));
    assert_eq!(lease(&outbox, 29).await, []);
    assert_eq!(lease_one(&outbox, 30).await.attempts, 2);
}

/// It is listed until it is pruned, and never leased.
pub async fn what_was_given_up_is_kept_for_a_while(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mail = of_no_account("example.org");
    insert(&outbox, &[(0, &mail)]).await;
    let leased = lease_one(&outbox, 0).await;
    assert!(settle(&outbox, &leased, given_up(5)).await);
    let over = at(5).plus(KEPT);
    let kept = find(&outbox, &mail).await.expect("it is there");
    assert_eq!((kept.state, kept.next_at), (DeliveryState::GivenUp, over));
    assert_eq!(kept.last_error.as_deref(), Some("no such mailbox"));
    let late = KEPT.as_secs() + 100;
    assert_eq!(lease(&outbox, late).await, []);
    let prune = async |at| outbox.prune(at, 10).await.expect("prune works");
    assert_eq!(prune(over.minus(secs(1))).await, 0);
    assert_eq!(prune(over).await, 1);
    assert_eq!(all(&outbox).await, []);
}

/// A replica that was asleep for longer than its lease must not disturb the one that sends now, but what it has sent is sent.
pub async fn a_lease_that_was_followed_settles_nothing(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mail = mail("example.org");
    insert(&outbox, &[(0, &mail)]).await;
    let first = lease_one(&outbox, 0).await;
    let second = lease_one(&outbox, LEASE).await;
    for late in [again(LEASE + 1), given_up(LEASE + 1), Settled::Dropped] {
        assert!(!settle(&outbox, &first, late).await);
    }
    assert_eq!(find(&outbox, &mail).await, Some(second.clone()));
    assert!(!settle(&outbox, &first, Settled::Sent { at: at(LEASE + 1) }).await);
    assert_eq!(find(&outbox, &mail).await, None);
    assert!(!settle(&outbox, &second, again(LEASE + 2)).await);
}

/// What was settled is not settled once more.
pub async fn only_a_lease_settles(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let mail = mail("example.org");
    insert(&outbox, &[(0, &mail)]).await;
    let leased = lease_one(&outbox, 0).await;
    assert!(settle(&outbox, &leased, again(30)).await);
    for late in [again(40), given_up(40), Settled::Dropped] {
        assert!(!settle(&outbox, &leased, late).await);
    }
    let waiting = find(&outbox, &mail).await.expect("it is there");
    assert_eq!(waiting.next_at, at(30));
}
