//! The limits of sign-ups, sign-ins, refreshes, password checks and proofs of mailboxes.

use super::{OpeningMail, ServicePorts};
use crate::{
    journal::SecurityEvent,
    limits::{AddressRange, Bucket, LimitName, LiveLimits, Rate},
    model::{ApiKeyId, ClientInfo, DeviceId, EmailAddress, SessionId, UserId},
    ports::{
        BucketLevel, HashFlow, RateLimiter, RefreshClaims, SecurityEvents, StoreError, Take,
        TakeOutcome,
    },
};
use std::{sync::Arc, time::Duration};

/// A limit was reached: try again later. The request was not looked at, and nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there were too many attempts; try again in {} s", .retry_after.as_secs_f32())]
pub struct Limited {
    /// The limit that was reached.
    pub limit: LimitName,
    /// Its rate.
    pub rate: Rate,
    /// The time until one attempt is possible.
    pub retry_after: Duration,
}

/// A limit was reached, or the limiter failed.
#[derive(Debug)]
pub(crate) enum Denied {
    Limited(Limited),
    Failed(StoreError),
}

/// Applies the limits to requests.
#[derive(Clone)]
pub(crate) struct RequestLimits {
    limiter: Arc<dyn RateLimiter>,
    rates: Arc<LiveLimits>,
    events: Arc<dyn SecurityEvents>,
}

/// What was taken, to be given back if the attempt does not count.
#[derive(Debug)]
#[must_use]
pub(crate) struct TakenBuckets {
    takes: Vec<Take>,
    levels: Vec<BucketLevel>,
}

/// A password that is about to be checked.
pub(crate) struct PasswordAttempt<'a> {
    /// The address that was sent, whether or not it has an account.
    pub(crate) email: &'a EmailAddress,
    pub(crate) client: &'a ClientInfo,
    /// `None`: the client is a stranger to the account.
    pub(crate) known: Option<KnownClient>,
}

/// What a client has shown of an account before its password.
#[derive(Clone, Copy)]
pub(crate) enum KnownClient {
    /// The credential of a device that the user has signed in on.
    Device(UserId, DeviceId),
    /// An ID token of this session.
    Session(UserId, SessionId),
}

impl RequestLimits {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            limiter: ports.limiter.clone(),
            rates: ports.rates.clone(),
            events: ports.events.clone(),
        }
    }

    /// The limits of refreshes and of the admin API, whose buckets are in this process.
    pub(crate) fn in_process(ports: &ServicePorts) -> Self {
        Self {
            limiter: ports.refresh_limiter.clone(),
            ..Self::new(ports)
        }
    }

    /// Makes room for one check of a password. A known client has a budget of its own, which no other client can use up. Once
    /// it is used up, and for strangers, the attempt comes out of the strangers' budgets: that of the account and that of the
    /// client's address.
    pub(crate) async fn password(
        &self,
        attempt: PasswordAttempt<'_>,
    ) -> Result<TakenBuckets, Denied> {
        let own = attempt.known.map(|known| match known {
            KnownClient::Device(user, device) => (Bucket::PasswordDevice(user, device), user),
            KnownClient::Session(user, session) => (Bucket::PasswordSession(user, session), user),
        });
        if let Some((own, user)) = own {
            match self.take(vec![own], Some(user), attempt.client).await {
                Err(Denied::Limited(_)) => {}
                other => return other,
            }
        }
        let mut strangers = vec![Bucket::PasswordAccount(attempt.email.clone())];
        strangers.extend(self.range(attempt.client).map(Bucket::PasswordAddress));
        self.take(strangers, None, attempt.client).await
    }

    /// Makes room for a sign-up.
    pub(crate) async fn sign_up(
        &self,
        email: &EmailAddress,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        let mut buckets = vec![Bucket::SignUpAccount(email.clone())];
        buckets.extend(self.range(client).map(Bucket::SignUpAddress));
        self.take(buckets, None, client).await
    }

    /// Makes room for a mail that opens an account. The devices of its user have a budget of their own, all together; when that is used up, the
    /// strangers' counts.
    pub(crate) async fn opening(
        &self,
        mail: OpeningMail,
        email: &EmailAddress,
        client: &ClientInfo,
        known: Option<UserId>,
    ) -> Result<TakenBuckets, Denied> {
        if let Some(user) = known {
            let own = match mail {
                OpeningMail::Recovery => Bucket::RecoveryDevices(user),
                OpeningMail::SignIn => Bucket::SignInDevices(user),
            };
            match self.take(vec![own], Some(user), client).await {
                Err(Denied::Limited(_)) => {}
                other => return other,
            }
        }
        match mail {
            OpeningMail::SignIn => self.proof(email, client).await,
            OpeningMail::Recovery => {
                let mut strangers = vec![Bucket::RecoveryAccount(email.clone())];
                strangers.extend(self.range(client).map(Bucket::RecoveryAddress));
                self.take(strangers, None, client).await
            }
        }
    }

    /// Makes room for any other mail that proves a mailbox.
    pub(crate) async fn proof(
        &self,
        email: &EmailAddress,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        let mut buckets = vec![Bucket::ProofAccount(email.clone())];
        buckets.extend(self.range(client).map(Bucket::ProofAddress));
        self.take(buckets, None, client).await
    }

    /// Makes room for a mail to a new address of an account. It counts for that address and for the account.
    pub(crate) async fn address_change(
        &self,
        account: &EmailAddress,
        new: &EmailAddress,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        let mut buckets = vec![Bucket::ProofAccount(new.clone())];
        if account != new {
            buckets.push(Bucket::ProofAccount(account.clone()));
        }
        buckets.extend(self.range(client).map(Bucket::ProofAddress));
        self.take(buckets, None, client).await
    }

    /// Makes room for a proof that is shown by another client than the one that asked for it.
    pub(crate) async fn confirmation(&self, client: &ClientInfo) -> Result<TakenBuckets, Denied> {
        let bucket = self.range(client).map(Bucket::ConfirmationAddress);
        self.take(bucket.into_iter().collect(), None, client).await
    }

    /// Makes room for one code of an authenticator app. A known client has a budget of its own, as for a password; once it is used up, and for strangers, it
    /// comes out of that which all strangers to the account share.
    pub(crate) async fn factor(
        &self,
        user: UserId,
        known: Option<KnownClient>,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        let own = known.map(|known| match known {
            KnownClient::Device(user, device) => Bucket::FactorDevice(user, device),
            KnownClient::Session(user, session) => Bucket::FactorSession(user, session),
        });
        if let Some(own) = own {
            match self.take(vec![own], Some(user), client).await {
                Err(Denied::Limited(_)) => {}
                other => return other,
            }
        }
        let strangers = vec![Bucket::FactorAccount(user)];
        self.take(strangers, Some(user), client).await
    }

    /// Makes room for a ceremony of a passkey that nobody has proved anything for.
    pub(crate) async fn ceremony(&self, client: &ClientInfo) -> Result<TakenBuckets, Denied> {
        let bucket = self.range(client).map(Bucket::ChallengeAddress);
        self.take(bucket.into_iter().collect(), None, client).await
    }

    /// Makes room for an export of the account.
    pub(crate) async fn export(
        &self,
        user: UserId,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        self.take(vec![Bucket::Export(user)], Some(user), client)
            .await
    }

    /// Makes room for a refresh with a token that is not valid.
    pub(crate) async fn refresh_from(&self, client: &ClientInfo) -> Result<TakenBuckets, Denied> {
        let bucket = self.range(client).map(Bucket::RefreshAddress);
        self.take(bucket.into_iter().collect(), None, client).await
    }

    /// Makes room for a refresh of a session.
    pub(crate) async fn refresh_of(
        &self,
        claims: &RefreshClaims,
        shown: Option<DeviceId>,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        self.take(
            vec![Bucket::RefreshSession(claims.session, shown)],
            Some(claims.user),
            client,
        )
        .await
    }

    /// Makes room for a request to the admin API whose key is none, or does not count.
    pub(crate) async fn admin_from(&self, client: &ClientInfo) -> Result<TakenBuckets, Denied> {
        let bucket = self.range(client).map(Bucket::AdminAddress);
        self.take(bucket.into_iter().collect(), None, client).await
    }

    /// Whether there is room for one more of those; nothing is taken. The bucket is in this process, so that no other call comes in between.
    pub(crate) async fn admin_has_room(&self, client: &ClientInfo) -> Result<(), Denied> {
        let taken = self.admin_from(client).await?;
        self.give_back(taken).await;
        Ok(())
    }

    /// Makes room for a request to the admin API with a key.
    pub(crate) async fn admin_with(
        &self,
        key: ApiKeyId,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        self.take(vec![Bucket::AdminKey(key)], None, client).await
    }

    /// What was taken does not count. If the limiter fails, it counts until the bucket has filled.
    pub(crate) async fn give_back(&self, held: TakenBuckets) {
        if !held.takes.is_empty() {
            let _ = self.limiter.give_back(&held.takes).await;
        }
    }

    /// What was taken counts for the client's address only: the work was done, but nothing was revealed about the account.
    pub(crate) async fn give_back_account(&self, mut held: TakenBuckets) {
        held.takes
            .retain(|take| matches!(take.bucket, Bucket::SignUpAccount(_)));
        self.give_back(held).await;
    }

    /// For whom a password is hashed. Accounts and addresses are those that the limits count by.
    pub(crate) fn flow(&self, email: &EmailAddress, client: &ClientInfo, known: bool) -> HashFlow {
        HashFlow {
            account: email.clone(),
            address: self.range(client),
            known,
        }
    }

    fn range(&self, client: &ClientInfo) -> Option<AddressRange> {
        AddressRange::of_client(client, self.rates.get().ipv6_prefix)
    }

    async fn take(
        &self,
        buckets: Vec<Bucket>,
        user: Option<UserId>,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Denied> {
        let rates = self.rates.get();
        let takes: Vec<Take> = buckets
            .into_iter()
            .filter_map(|bucket| rates.rate(&bucket).map(|rate| Take { bucket, rate }))
            .collect();
        if takes.is_empty() {
            return Ok(TakenBuckets {
                takes,
                levels: Vec::new(),
            });
        }
        let empty = match self.limiter.take(&takes).await.map_err(Denied::Failed)? {
            TakeOutcome::Allowed(levels) => return Ok(TakenBuckets { takes, levels }),
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

impl TakenBuckets {
    /// What is left of the caller's own budget.
    pub(crate) fn level(&self) -> Option<LimitBudget> {
        let (take, level) = (self.takes.first()?, self.levels.first()?);
        Some(LimitBudget {
            limit: take.bucket.limit(),
            rate: take.rate,
            level: *level,
        })
    }
}

/// What is left of a budget that only the caller can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitBudget {
    /// Which limit.
    pub limit: LimitName,
    /// Its rate.
    pub rate: Rate,
    /// What is left.
    pub level: BucketLevel,
}
