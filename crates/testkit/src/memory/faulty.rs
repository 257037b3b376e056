//! A store whose failures are switched on and off.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    model::{
        Credentials, DetailsChange, DeviceId, EmailAddress, EndReason, Epoch, PasswordHash,
        Session, SessionId, SessionRecord, Timestamp, User, UserId,
    },
    ports::{
        AccountDirectory, AccountQuery, AddOutcome, Asking, BeginOutcome, BeginSession,
        CreateOutcome, DisableOutcome, EnableOutcome, EndOutcome, LiveSession, NewLiveSession,
        PasswordChange, PasswordOutcome, RateLimiter, Revocations, SessionRepository, StoreError,
        Take, TakeOutcome, TokenRepository, UpdateOutcome, UserRepository,
    },
    rotation::{Rotation, RotationOutcome},
};
use std::{future::Future, sync::Mutex};

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before it takes effect: the store can't be reached.
    Before,
    /// After it took effect: the answer is lost.
    After,
}

/// Wraps a repository; each failure is of kind `Unavailable`. Operations have the names of the ports' methods.
#[derive(Debug)]
pub struct Faulty<T> {
    inner: T,
    fault: Mutex<Option<(Fault, Option<&'static str>)>>,
}

impl<T> Faulty<T> {
    /// A store that works so far.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            fault: Mutex::new(None),
        }
    }

    /// The store itself, which never fails.
    pub const fn inner(&self) -> &T {
        &self.inner
    }

    /// Every call fails from now on.
    pub fn fail(&self, fault: Fault) {
        *lock(&self.fault) = Some((fault, None));
    }

    /// Calls of this method fail from now on, and no others.
    pub fn fail_on(&self, operation: &'static str, fault: Fault) {
        *lock(&self.fault) = Some((fault, Some(operation)));
    }

    /// All is well from now on.
    pub fn recover(&self) {
        *lock(&self.fault) = None;
    }

    async fn call<R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> Result<R, StoreError> {
        let fault = *lock(&self.fault);
        match fault.filter(|(_, only)| only.is_none_or(|only| only == operation)) {
            None => call.await,
            Some((Fault::Before, _)) => Err(StoreError::unavailable(
                "faulty",
                operation,
                "told to fail before it takes effect",
            )),
            Some((Fault::After, _)) => {
                call.await?;
                Err(StoreError::unavailable(
                    "faulty",
                    operation,
                    "told to lose the answer",
                ))
            }
        }
    }
}

#[async_trait]
impl<T: TokenRepository> TokenRepository for Faulty<T> {
    async fn begin(&self, session: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        self.call("begin", self.inner.begin(session)).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        self.call("rotate", self.inner.rotate(rotation)).await
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        self.call("end", self.inner.end(user, sessions)).await
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.call("end_older", self.inner.end_older(user, epoch, kept))
            .await
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        self.call("list", self.inner.list(user)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.call("ping", self.inner.ping()).await
    }
}

#[async_trait]
impl<T: UserRepository> UserRepository for Faulty<T> {
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
    ) -> Result<CreateOutcome, StoreError> {
        self.call("create", self.inner.create(user, hash, session))
            .await
    }

    async fn add(&self, user: &User, hash: &PasswordHash) -> Result<AddOutcome, StoreError> {
        self.call("add", self.inner.add(user, hash)).await
    }

    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceId>,
    ) -> Result<Option<Credentials>, StoreError> {
        self.call(
            "credentials_by_email",
            self.inner.credentials_by_email(email, device),
        )
        .await
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        self.call("credentials", self.inner.credentials(user)).await
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        self.call("rehash", self.inner.rehash(user, old, new)).await
    }

    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
    ) -> Result<UpdateOutcome, StoreError> {
        self.call("update", self.inner.update(user, change, asking))
            .await
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
    ) -> Result<PasswordOutcome, StoreError> {
        self.call("change_password", self.inner.change_password(change))
            .await
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<SessionId>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("delete", self.inner.delete(user, asking, at))
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.call("ping", self.inner.ping()).await
    }
}

#[async_trait]
impl<T: AccountDirectory> AccountDirectory for Faulty<T> {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        self.call("list", self.inner.list(query)).await
    }

    async fn walk(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Credentials>, StoreError> {
        self.call("walk", self.inner.walk(after, limit)).await
    }

    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.call("history", self.inner.history(user)).await
    }

    async fn disable(&self, user: UserId, at: Timestamp) -> Result<DisableOutcome, StoreError> {
        self.call("disable", self.inner.disable(user, at)).await
    }

    async fn enable(&self, user: UserId) -> Result<EnableOutcome, StoreError> {
        self.call("enable", self.inner.enable(user)).await
    }
}

#[async_trait]
impl<T: SessionRepository> SessionRepository for Faulty<T> {
    async fn find(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.call("find", self.inner.find(user, session)).await
    }

    async fn begin(&self, begin: &BeginSession) -> Result<BeginOutcome, StoreError> {
        self.call("begin", self.inner.begin(begin)).await
    }

    async fn bind(
        &self,
        user: UserId,
        session: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.call("bind", self.inner.bind(user, session, at)).await
    }

    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<EndOutcome, StoreError> {
        self.call("end", self.inner.end(user, session, reason, at))
            .await
    }

    async fn end_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<Epoch>, StoreError> {
        self.call("end_all", self.inner.end_all(user, kept, reason, at))
            .await
    }

    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.call("live", self.inner.live(user, now)).await
    }

    async fn revoked_since(&self, since: Timestamp) -> Result<Revocations, StoreError> {
        self.call("revoked_since", self.inner.revoked_since(since))
            .await
    }

    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call("prune_devices", self.inner.prune_devices(before, limit))
            .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call("prune", self.inner.prune(before, limit)).await
    }
}

#[async_trait]
impl<T: RateLimiter> RateLimiter for Faulty<T> {
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError> {
        self.call("take", self.inner.take(takes)).await
    }

    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError> {
        self.call("give_back", self.inner.give_back(takes)).await
    }
}
