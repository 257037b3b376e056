//! The rows of sessions.

use super::Measured;
use async_trait::async_trait;
use revolve_domain::{
    model::{EndReason, Epoch, Session, SessionId, SessionRecord, Timestamp, UserId},
    ports::{BeginOutcome, BeginSession, EndOutcome, Revocations, SessionRepository, StoreError},
};

#[async_trait]
impl SessionRepository for Measured<dyn SessionRepository> {
    async fn find(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.call("find_session", self.next.find(user, session))
            .await
    }

    async fn begin(&self, begin: &BeginSession) -> Result<BeginOutcome, StoreError> {
        self.call("begin_session", self.next.begin(begin)).await
    }

    async fn bind(
        &self,
        user: UserId,
        session: SessionId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.call("bind_session", self.next.bind(user, session, at))
            .await
    }

    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<EndOutcome, StoreError> {
        self.call("end_session", self.next.end(user, session, reason, at))
            .await
    }

    async fn end_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<Epoch>, StoreError> {
        self.call(
            "end_all_sessions",
            self.next.end_all(user, kept, reason, at),
        )
        .await
    }

    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.call("live_sessions", self.next.live(user, now)).await
    }

    async fn revoked_since(&self, since: Timestamp) -> Result<Revocations, StoreError> {
        self.call("revoked_since", self.next.revoked_since(since))
            .await
    }

    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call("prune_devices", self.next.prune_devices(before, limit))
            .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.call("prune_sessions", self.next.prune(before, limit))
            .await
    }
}
