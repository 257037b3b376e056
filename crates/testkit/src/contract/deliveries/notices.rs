//! Notices: at most one of a kind for a mailbox of an account within its pause, the others counted in the next.

use super::{
    DeliveriesSubject, LEASE, account, address, again, all, at, find, ids, insert, lease,
    lease_one, mail, notice, sent, settle, sorted,
};
use crate::{
    contract::given::{at_once, user_id},
    untold,
};
use revolve_domain::journal::{MailKind, NewMail};

const HOUR: u64 = 3600;

/// The first says how many others there were.
pub async fn notices_of_a_kind_are_counted_in_the_first(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let user = user_id();
    let mails = [0, 1, 2].map(|_| notice(user, MailKind::NewDevice));
    insert(&outbox, &[(0, &mails[0]), (1, &mails[1]), (2, &mails[2])]).await;
    let only = lease_one(&outbox, 3).await;
    assert_eq!((only.mail, only.more), (mails[0].clone(), 2));
}

/// What was tried may have arrived: it says the same from then on, and the next one is a mail of its own.
pub async fn a_notice_that_was_tried_counts_no_more(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let user = user_id();
    let [first, second, third] = [0, 1, 2].map(|_| notice(user, MailKind::NewDevice));
    insert(&outbox, &[(0, &first)]).await;
    let leased = lease_one(&outbox, 0).await;
    insert(&outbox, &[(1, &second), (2, &third)]).await;
    assert_eq!(find(&outbox, &first).await, Some(leased));
    let next = find(&outbox, &second).await.expect("it is there");
    assert_eq!(next.more, 1);
    assert_eq!(find(&outbox, &third).await, None);
}

/// The next one is due when the pause is over, whether it was inserted before the first was sent or after.
pub async fn a_sent_notice_is_followed_after_its_quiet(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    for early in [true, false] {
        let user = account(subject).await;
        let [first, second] = [0, 1].map(|_| notice(user, MailKind::PasswordChanged));
        insert(&outbox, &[(0, &first)]).await;
        let leased = lease_one(&outbox, 1).await;
        if early {
            insert(&outbox, &[(2, &second)]).await;
        }
        sent(&outbox, &leased, 10).await;
        if !early {
            insert(&outbox, &[(20, &second)]).await;
        }
        let held = find(&outbox, &second).await.expect("it is there");
        assert_eq!(
            (held.due_at, held.next_at),
            (at(10 + HOUR), at(10 + HOUR)),
            "inserted early: {early}"
        );
        assert_eq!(lease(&outbox, 9 + HOUR).await, []);
        let next = lease_one(&outbox, 10 + HOUR).await;
        assert_eq!(next.mail.id, second.id);
        sent(&outbox, &next, 10 + HOUR).await;
    }
}

/// The pause is no part of its life: it may be tried for as long as any other, and as long as the last that it counts.
pub async fn a_notice_does_not_expire_in_its_pause(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let given = |user, seconds: u64| NewMail {
        expires_at: at(seconds + 24 * HOUR),
        ..notice(user, MailKind::AccountExists)
    };
    for early in [true, false] {
        let user = account(subject).await;
        let first = given(user, 0);
        insert(&outbox, &[(0, &first)]).await;
        let leased = lease_one(&outbox, 1).await;
        let seconds = if early { 2 } else { 20 };
        let second = given(user, seconds);
        if early {
            insert(&outbox, &[(seconds, &second)]).await;
        }
        sent(&outbox, &leased, 10).await;
        if !early {
            insert(&outbox, &[(seconds, &second)]).await;
        }
        let held = find(&outbox, &second).await.expect("it is there");
        assert_eq!(
            (held.due_at, held.mail.expires_at),
            (at(10 + 24 * HOUR), at(10 + 48 * HOUR)),
            "inserted early: {early}"
        );
    }
    let user = user_id();
    let (first, second) = (given(user, 0), given(user, 100));
    insert(&outbox, &[(0, &first), (100, &second)]).await;
    let counts = find(&outbox, &first).await.expect("it is there");
    assert_eq!(
        (counts.more, counts.mail.expires_at),
        (1, at(100 + 24 * HOUR))
    );
}

/// Two that wait are never sent side by side: the second is leased once the pause of the first is over.
pub async fn a_notice_beside_one_that_is_tried_again_waits_for_it(
    subject: &impl DeliveriesSubject,
) {
    let outbox = subject.deliveries();
    let user = account(subject).await;
    let [first, second] = [0, 1].map(|_| notice(user, MailKind::SessionReused));
    insert(&outbox, &[(0, &first)]).await;
    let leased = lease_one(&outbox, 0).await;
    assert!(settle(&outbox, &leased, again(5)).await);
    insert(&outbox, &[(2, &second)]).await;
    let next_at = async || find(&outbox, &second).await.expect("it is there").next_at;
    assert_eq!(next_at().await, at(5), "it is tried no sooner");
    assert_eq!(lease(&outbox, 4).await, [], "the first is not due yet");
    let leased = lease_one(&outbox, 10).await;
    assert_eq!(leased.mail.id, first.id);
    assert_eq!(lease(&outbox, 11).await, [], "the first is being sent");
    assert!(settle(&outbox, &leased, again(100)).await);
    assert_eq!(next_at().await, at(100));
    assert_eq!(lease(&outbox, 99).await, []);
    let leased = lease_one(&outbox, 101).await;
    assert_eq!(leased.mail.id, first.id);
    sent(&outbox, &leased, 102).await;
    assert_eq!(lease(&outbox, 102 + HOUR - 1).await, []);
    assert_eq!(
        lease_one(&outbox, 102 + HOUR).await.mail.id,
        second.id,
        "the pause is over"
    );
}

/// Other kinds and accounts have their own, and a notice that anybody can cause is quiet for a day.
pub async fn quiet_is_of_one_kind_and_account(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let user = account(subject).await;
    let first = notice(user, MailKind::AccountExists);
    insert(&outbox, &[(0, &first)]).await;
    sent(&outbox, &lease_one(&outbox, 0).await, 0).await;
    let (same, kind, account) = (
        notice(user, MailKind::AccountExists),
        notice(user, MailKind::NewDevice),
        notice(user_id(), MailKind::AccountExists),
    );
    insert(&outbox, &[(1, &same), (1, &kind), (1, &account)]).await;
    let due = async |mail| find(&outbox, mail).await.expect("it is there").due_at;
    assert_eq!(due(&same).await, at(24 * HOUR));
    assert_eq!(due(&kind).await, at(1));
    assert_eq!(due(&account).await, at(1));
    let pruned = outbox.prune(at(24 * HOUR), 10).await;
    assert_eq!(pruned.expect("prune works"), 1, "the pause is forgotten");
}

/// What goes to a former address is neither counted in what waits for the present one, nor held up by it, nor the other way round.
pub async fn each_mailbox_of_an_account_has_its_own_notices(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let user = account(subject).await;
    let to = |domain| NewMail {
        to: address("ann", domain),
        ..notice(user, MailKind::AccountExists)
    };
    let [present, later] = [0, 1].map(|_| to("example.org"));
    let [former, counted, paused] = [0, 1, 2].map(|_| to("example.net"));
    insert(&outbox, &[(0, &present), (1, &former), (2, &counted)]).await;
    let more = async |mail| find(&outbox, mail).await.expect("it is there").more;
    assert_eq!((more(&present).await, more(&former).await), (0, 1));

    let leased = lease(&outbox, 3).await;
    let both = vec![former.id, present.id];
    assert_eq!(sorted(ids(&leased)), sorted(both), "side by side");
    for delivery in &leased {
        if delivery.mail.id == former.id {
            sent(&outbox, delivery, 10).await;
        } else {
            assert!(settle(&outbox, delivery, again(500)).await);
        }
    }
    insert(&outbox, &[(20, &paused), (20, &later)]).await;
    let times = async |mail| {
        let row = find(&outbox, mail).await.expect("it is there");
        (row.due_at, row.next_at)
    };
    let over = at(10 + 24 * HOUR);
    assert_eq!(times(&paused).await, (over, over), "after its own pause");
    assert_eq!(times(&later).await, (at(20), at(500)), "behind its own");
}

/// The address of a deleted account must not stay behind in a pause, be it one that had begun or one that would begin now.
pub async fn a_deletion_leaves_no_pause(subject: &impl DeliveriesSubject) {
    let (users, outbox) = (subject.users(), subject.deliveries());
    let user = account(subject).await;
    let [before, after] =
        [MailKind::NewDevice, MailKind::AccountDeleted].map(|kind| notice(user, kind));
    insert(&outbox, &[(0, &before)]).await;
    sent(&outbox, &lease_one(&outbox, 0).await, 1).await;
    insert(&outbox, &[(2, &after)]).await;
    let deleted = users.delete(user, None, at(3), &untold()).await;
    assert!(deleted.expect("delete works"));
    sent(&outbox, &lease_one(&outbox, 4).await, 5).await;
    let pruned = outbox.prune(at(1000 * HOUR), 10).await;
    assert_eq!(pruned.expect("prune works"), 0);
}

/// Changes that commit at the same time lose none.
pub async fn parallel_notices_are_all_counted(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let user = user_id();
    at_once((0..16).map(|_| {
        let outbox = subject.deliveries();
        async move {
            let mail = notice(user, MailKind::NewDevice);
            outbox.insert(at(0), &[mail]).await.expect("insert works");
        }
    }))
    .await;
    let only = lease_one(&outbox, LEASE).await;
    assert_eq!(only.more, 15);
}

/// Mails that ask for something go out each on its own, and so do notices of no account.
pub async fn what_is_not_a_notice_is_never_counted(subject: &impl DeliveriesSubject) {
    let outbox = subject.deliveries();
    let user = user_id();
    let resets = [0, 1].map(|_| NewMail {
        user: Some(user),
        ..mail("example.org")
    });
    let strangers = [0, 1].map(|_| NewMail {
        kind: MailKind::AccountExists,
        user: None,
        ..mail("example.org")
    });
    for mails in [&resets, &strangers] {
        outbox.insert(at(0), mails).await.expect("insert works");
    }
    let leased = lease(&outbox, 0).await;
    assert_eq!(leased.len(), 4);
    for delivery in &leased {
        assert_eq!(delivery.more, 0);
        sent(&outbox, delivery, 1).await;
    }
    assert_eq!(all(&outbox).await, []);
}
