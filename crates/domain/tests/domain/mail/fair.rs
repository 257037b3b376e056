//! How much a replica sends at once, and to whom.

use super::{LIMITS, Post};
use revolve_domain::{
    deliveries::{Delivery, InFlight, SendLimits},
    journal::{MailKind, NewMail},
    model::EmailAddress,
    ports::Clock,
};
use std::{collections::BTreeMap, time::Duration};

/// Leases until there is no room or nothing due.
async fn fill(post: &Post, in_flight: &mut InFlight) -> Vec<Delivery> {
    let (send, mut all) = (post.send(), Vec::new());
    while let Some(request) = in_flight.request(post.clock.now()) {
        let leased = send.lease(&request).await.expect("memory works");
        let more = in_flight.begin(&leased, &request);
        all.extend(leased);
        if !more {
            break;
        }
    }
    all
}

fn commit_to(post: &Post, domain: &str, count: usize) {
    let mails: Vec<NewMail> = (0..count)
        .map(|_| NewMail {
            to: EmailAddress::parse(&format!("ann@{domain}")).expect("an address"),
            ..post.proof(MailKind::SignIn)
        })
        .collect();
    post.commit(&mails);
}

fn by_domain(leased: &[Delivery]) -> BTreeMap<&str, usize> {
    let mut count = BTreeMap::new();
    for delivery in leased {
        *count.entry(delivery.mail.to.domain()).or_default() += 1;
    }
    count
}

#[tokio::test]
async fn a_slow_domain_holds_its_share_and_the_others_go_on() {
    let post = Post::new();
    let mut in_flight = InFlight::new(LIMITS);
    commit_to(&post, "slow.example", 1000);
    let slow = fill(&post, &mut in_flight).await;
    assert_eq!(by_domain(&slow), [("slow.example", 2)].into());
    // Nothing of the slow domain ends any more.
    for _ in 0..20 {
        commit_to(&post, "zebra.example", 1);
        commit_to(&post, "ant.example", 1);
        let others = fill(&post, &mut in_flight).await;
        assert_eq!(
            by_domain(&others),
            [("ant.example", 1), ("zebra.example", 1)].into()
        );
        for delivery in &others {
            in_flight.end(&delivery.mail.to);
        }
    }
    assert_eq!(in_flight.count(), 2);
    in_flight.end(&slow[0].mail.to);
    assert_eq!(
        by_domain(&fill(&post, &mut in_flight).await),
        [("slow.example", 1)].into()
    );
}

#[tokio::test]
async fn crowded_domains_share_the_slots_in_turn() {
    let post = Post::new();
    let mut in_flight = InFlight::new(LIMITS);
    let domains = ["a", "b", "c", "d", "e", "f"].map(|name| format!("{name}.example"));
    for domain in &domains {
        commit_to(&post, domain, 10);
    }
    let mut served: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..6 {
        let leased = fill(&post, &mut in_flight).await;
        assert_eq!(leased.len(), 8, "all slots are used");
        for delivery in &leased {
            *served
                .entry(delivery.mail.to.domain().to_owned())
                .or_default() += 1;
            in_flight.end(&delivery.mail.to);
        }
    }
    assert_eq!(served.len(), 6);
    assert!(
        served.values().all(|count| (6..=10).contains(count)),
        "{served:?}"
    );
}

#[tokio::test]
async fn no_more_begin_within_a_second_than_the_rate_allows() {
    let post = Post::new();
    let mut in_flight = InFlight::new(SendLimits {
        slots: 100,
        share: 100,
        rate: 5,
        ..LIMITS
    });
    commit_to(&post, "example.org", 100);
    let mut begun = Vec::new();
    for _ in 0..40 {
        for delivery in fill(&post, &mut in_flight).await {
            begun.push(post.clock.now());
            in_flight.end(&delivery.mail.to);
        }
        post.clock.advance(Duration::from_millis(100));
    }
    assert_eq!(begun.len(), 20, "five a second, four seconds long");
    for window in begun.windows(6) {
        assert!(window[5].since(window[0]) >= Duration::from_secs(1));
    }
    post.clock.step_back(Duration::from_hours(1));
    commit_to(&post, "example.net", 1);
    assert_eq!(
        fill(&post, &mut in_flight).await.len(),
        1,
        "a clock that was set back stops nothing"
    );
}

#[tokio::test]
async fn what_has_expired_does_not_use_up_the_rate() {
    let post = Post::new();
    let mut in_flight = InFlight::new(SendLimits { rate: 1, ..LIMITS });
    for domain in ["a.example", "b.example"] {
        post.commit(&[NewMail {
            to: EmailAddress::parse(&format!("ann@{domain}")).expect("an address"),
            expires_at: post.clock.now(),
            ..post.proof(MailKind::SignIn)
        }]);
    }
    commit_to(&post, "c.example", 1);
    commit_to(&post, "d.example", 1);
    let leased = fill(&post, &mut in_flight).await;
    assert_eq!(
        by_domain(&leased),
        [("a.example", 1), ("b.example", 1), ("c.example", 1)].into()
    );
    assert!(
        in_flight.wait(post.clock.now()) > Duration::ZERO,
        "one was sent"
    );
}
