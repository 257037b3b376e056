//! The contract of [`RateLimiter`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod history;
mod one;
mod parallel;
mod several;

pub use history::*;
pub use one::*;
pub use parallel::*;
pub use several::*;

use super::{LimitsSubject, given};
use revolve_domain::{
    limits::{Bucket, Rate},
    model::EmailAddress,
    ports::{BucketLevel, EmptyBucket, RateLimiter, Take, TakeOutcome},
};
use std::{net::Ipv6Addr, sync::Arc, time::Duration};

/// A rate in its text form.
pub(super) fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

/// A bucket that no other case uses.
pub(super) fn fresh(rate_text: &str) -> Take {
    Take {
        bucket: Bucket::PasswordAccount(given::email()),
        rate: rate(rate_text),
    }
}

/// One bucket of each kind that no other case uses.
pub(super) fn one_of_each() -> Vec<Bucket> {
    let email: EmailAddress = given::email();
    let address = revolve_domain::limits::AddressRange::of(
        Ipv6Addr::from_bits(u128::from_be_bytes(given::random())).into(),
        128,
    );
    let (user, device, session) = (given::user_id(), given::device_id(), given::session_id());
    vec![
        Bucket::PasswordAccount(email.clone()),
        Bucket::PasswordAddress(address),
        Bucket::PasswordDevice(user, device),
        Bucket::PasswordSession(user, session),
        Bucket::SignUpAccount(email),
        Bucket::SignUpAddress(address),
        Bucket::RefreshSession(session, None),
        Bucket::RefreshSession(session, Some(device)),
        Bucket::RefreshAddress(address),
    ]
}

/// A limiter under test.
pub(super) struct Limiter<'a> {
    subject: &'a dyn LimitsSubject,
    pub(super) port: Arc<dyn RateLimiter>,
}

impl<'a> Limiter<'a> {
    pub(super) fn new(subject: &'a dyn LimitsSubject) -> Self {
        Self {
            port: subject.limiter(),
            subject,
        }
    }

    pub(super) async fn take_all(&self, takes: &[Take]) -> TakeOutcome {
        self.port.take(takes).await.expect("take works")
    }

    /// Takes one and answers what is left.
    pub(super) async fn take(&self, take: &Take) -> BucketLevel {
        match self.take_all(std::slice::from_ref(take)).await {
            TakeOutcome::Allowed(levels) if levels.len() == 1 => levels[0],
            other => panic!("one should have been taken, got {other:?}"),
        }
    }

    /// Finds the bucket empty.
    pub(super) async fn refused(&self, take: &Take) -> EmptyBucket {
        match self.take_all(std::slice::from_ref(take)).await {
            TakeOutcome::Limited(empty) if empty.len() == 1 && empty[0].index == 0 => empty[0],
            other => panic!("the bucket should have been empty, got {other:?}"),
        }
    }

    /// Empties the bucket.
    pub(super) async fn drain(&self, take: &Take) {
        let mut taken = 0;
        while let TakeOutcome::Allowed(_) = self.take_all(std::slice::from_ref(take)).await {
            taken += 1;
            assert!(
                taken <= take.rate.burst() + 1,
                "no more is in a bucket than its burst"
            );
        }
    }

    pub(super) async fn give_back(&self, takes: &[Take]) {
        self.port.give_back(takes).await.expect("give_back works");
    }

    pub(super) async fn advance(&self, takes: &[Take], seconds: u64) {
        let buckets: Vec<Bucket> = takes.iter().map(|take| take.bucket.clone()).collect();
        self.subject
            .advance(&buckets, Duration::from_secs(seconds))
            .await;
    }
}

/// Time passes in a real store between two calls.
#[track_caller]
pub(super) fn assert_about(found: Duration, seconds: u64) {
    let expected = Duration::from_secs(seconds);
    assert!(
        found <= expected && found + Duration::from_secs(20) > expected,
        "about {expected:?}, got {found:?}"
    );
}
