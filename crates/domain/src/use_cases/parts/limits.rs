//! What sign-up, sign-in, refresh and changes of the password have in common when they are held to limits.

use crate::{
    limits::{AddressRange, Bucket, LimitName, LiveLimits, Rate},
    model::{ClientInfo, DeviceId, EmailAddress, SessionId, UserId},
    ports::{
        Level, RateLimiter, RefreshClaims, SecurityEvent, SecurityEvents, StoreError, Take,
        TakeOutcome,
    },
};
use std::{sync::Arc, time::Duration};

/// A limit was reached: try again later. Nothing was looked at, and nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there were too many attempts; try again in {} s", .retry_after.as_secs_f32())]
pub struct Limited {
    /// Which limit.
    pub limit: LimitName,
    /// Its rate.
    pub rate: Rate,
    /// After what time there is room for one attempt.
    pub retry_after: Duration,
}

/// There is no room, or whether there is could not be found out.
#[derive(Debug)]
pub(crate) enum Denied {
    Limited(Limited),
    Failed(StoreError),
}

/// Gives the error of a use case the two ways of being denied.
macro_rules! from_denied {
    ($error:ty) => {
        impl From<$crate::use_cases::parts::Denied> for $error {
            fn from(denied: $crate::use_cases::parts::Denied) -> Self {
                match denied {
                    $crate::use_cases::parts::Denied::Limited(limited) => limited.into(),
                    $crate::use_cases::parts::Denied::Failed(error) => error.into(),
                }
            }
        }
    };
}
pub(crate) use from_denied;

/// Holds those who ask to the limits.
#[derive(Clone)]
pub struct Limits {
    /// Keeps the buckets.
    pub limiter: Arc<dyn RateLimiter>,
    /// The rates.
    pub rates: Arc<LiveLimits>,
    /// Hears of limits that were reached.
    pub events: Arc<dyn SecurityEvents>,
}

/// What was taken, to be given back if it should not count.
#[derive(Debug)]
#[must_use]
pub(crate) struct Held {
    takes: Vec<Take>,
    levels: Vec<Level>,
}

/// Who types a password, and for which account.
pub(crate) struct Guess<'a> {
    /// The address typed, whether or not there is such an account.
    pub(crate) email: &'a EmailAddress,
    /// Where it comes from.
    pub(crate) client: &'a ClientInfo,
    /// What says that this is not a stranger.
    pub(crate) own: Option<Own>,
}

/// What somebody has shown of an account before typing its password.
#[derive(Clone, Copy)]
pub(crate) enum Own {
    /// The credential of a device that the user has signed in on.
    Device(UserId, DeviceId),
    /// An ID token of this session.
    Session(UserId, SessionId),
}

impl Limits {
    /// Makes room for a password to be checked. Whoever has shown something of the account has a budget of their own, which
    /// nobody else can use up; once they have, and for everybody else, it comes out of what strangers have: one budget for the
    /// account, and one for the address that they come from.
    pub(crate) async fn guess(&self, guess: Guess<'_>) -> Result<Held, Denied> {
        let (own, user) = match guess.own {
            Some(Own::Device(user, device)) => {
                (Some(Bucket::PasswordDevice(user, device)), Some(user))
            }
            Some(Own::Session(user, session)) => {
                (Some(Bucket::PasswordSession(user, session)), Some(user))
            }
            None => (None, None),
        };
        if let Some(own) = own {
            match self.take(vec![own], user, guess.client).await {
                Err(Denied::Limited(_)) => {}
                other => return other,
            }
        }
        let mut strangers = vec![Bucket::PasswordAccount(guess.email.clone())];
        strangers.extend(self.range(guess.client).map(Bucket::PasswordAddress));
        self.take(strangers, None, guess.client).await
    }

    /// Makes room for a sign-up.
    pub(crate) async fn sign_up(
        &self,
        email: &EmailAddress,
        client: &ClientInfo,
    ) -> Result<Held, Denied> {
        let mut buckets = vec![Bucket::SignUpAccount(email.clone())];
        buckets.extend(self.range(client).map(Bucket::SignUpAddress));
        self.take(buckets, None, client).await
    }

    /// Makes room for a refresh token to be looked at.
    pub(crate) async fn refresh_from(&self, client: &ClientInfo) -> Result<Held, Denied> {
        let bucket = self.range(client).map(Bucket::RefreshAddress);
        self.take(bucket.into_iter().collect(), None, client).await
    }

    /// Makes room for a session to be refreshed.
    pub(crate) async fn refresh_of(
        &self,
        claims: &RefreshClaims,
        shown: Option<DeviceId>,
        client: &ClientInfo,
    ) -> Result<Held, Denied> {
        self.take(
            vec![Bucket::RefreshSession(claims.session, shown)],
            Some(claims.user),
            client,
        )
        .await
    }

    /// What was taken does not count. If that can't be said now, it counts after all: until the bucket has filled.
    pub(crate) async fn give_back(&self, held: Held) {
        if !held.takes.is_empty() {
            let _ = self.limiter.give_back(&held.takes).await;
        }
    }

    /// What was taken counts for the address alone: the work was done, but nothing was learnt about the account.
    pub(crate) async fn give_back_account(&self, mut held: Held) {
        held.takes
            .retain(|take| matches!(take.bucket, Bucket::SignUpAccount(_)));
        self.give_back(held).await;
    }

    fn range(&self, client: &ClientInfo) -> Option<AddressRange> {
        AddressRange::of_client(client, self.rates.get().ipv6_prefix)
    }

    async fn take(
        &self,
        buckets: Vec<Bucket>,
        user: Option<UserId>,
        client: &ClientInfo,
    ) -> Result<Held, Denied> {
        let rates = self.rates.get();
        let takes: Vec<Take> = buckets
            .into_iter()
            .filter_map(|bucket| rates.rate(&bucket).map(|rate| Take { bucket, rate }))
            .collect();
        if takes.is_empty() {
            return Ok(Held {
                takes,
                levels: Vec::new(),
            });
        }
        let empty = match self.limiter.take(&takes).await.map_err(Denied::Failed)? {
            TakeOutcome::Allowed(levels) => return Ok(Held { takes, levels }),
            TakeOutcome::Limited(empty) => empty,
        };
        let reached = |index: usize| {
            takes
                .get(index)
                .map(|take| (take.bucket.limit(), take.rate))
        };
        for (limit, _) in empty
            .iter()
            .filter(|empty| empty.first)
            .filter_map(|empty| reached(empty.index))
        {
            self.events.record(SecurityEvent::LimitReached {
                limit,
                user,
                address: client.address,
            });
        }
        let last = empty.iter().max_by_key(|empty| empty.retry_after);
        let limited = last.and_then(|empty| {
            let (limit, rate) = reached(empty.index)?;
            Some(Limited {
                limit,
                rate,
                retry_after: empty.retry_after,
            })
        });
        match limited {
            Some(limited) => Err(Denied::Limited(limited)),
            None => Err(Denied::Failed(StoreError::broken(
                "limits",
                "say which limit was reached",
                "it named none of them",
            ))),
        }
    }
}

impl Held {
    /// What is left of the budget that is the caller's own.
    pub(crate) fn level(&self) -> Option<Budget> {
        let (take, level) = (self.takes.first()?, self.levels.first()?);
        Some(Budget {
            limit: take.bucket.limit(),
            rate: take.rate,
            level: *level,
        })
    }
}

/// What is left for the caller, where that is nobody else's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Which limit.
    pub limit: LimitName,
    /// Its rate.
    pub rate: Rate,
    /// What is left.
    pub level: Level,
}
