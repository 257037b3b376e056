//! The white list. Its steps are counted by outcome, too: they are what a refresh comes down to.

use super::{Measured, RotationLabels};
use async_trait::async_trait;
use revolve_domain::{
    model::{Epoch, SessionId, UserId},
    ports::{LiveSession, NewLiveSession, StoreError, TokenRepository},
    rotation::{Rotation, RotationOutcome},
};

#[async_trait]
impl TokenRepository for Measured<dyn TokenRepository> {
    async fn begin(&self, session: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        self.call("begin_entry", self.next.begin(session)).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        let result = self.call("rotate", self.next.rotate(rotation)).await;
        let outcome = result.as_ref().map_or(FAILED, name);
        self.metrics
            .stores
            .rotations
            .get_or_create(&RotationLabels { outcome })
            .inc();
        result
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        self.call("end_entries", self.next.end(user, sessions))
            .await
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.call("end_older_entries", self.next.end_older(user, epoch, kept))
            .await
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        self.call("list_entries", self.next.list(user)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.call("ping", self.next.ping()).await
    }
}

/// Every outcome.
pub(super) const OUTCOMES: [&str; 9] = [
    "rotated",
    "healed",
    "repeated_free",
    "repeated_late",
    "stale",
    "unknown",
    "reused",
    "device_mismatch",
    FAILED,
];

/// The store did not answer.
const FAILED: &str = "failed";

const fn name(outcome: &RotationOutcome) -> &'static str {
    match outcome {
        RotationOutcome::Rotated(_) => "rotated",
        RotationOutcome::Healed { .. } => "healed",
        RotationOutcome::Repeated { late: false, .. } => "repeated_free",
        RotationOutcome::Repeated { late: true, .. } => "repeated_late",
        RotationOutcome::Stale => "stale",
        RotationOutcome::Unknown => "unknown",
        RotationOutcome::Reused { .. } => "reused",
        RotationOutcome::DeviceMismatch => "device_mismatch",
    }
}
