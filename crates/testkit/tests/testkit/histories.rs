//! The histories reach every row of the state machine's table, and find an adapter that deviates from it.

use async_trait::async_trait;
use revolve_domain::{
    model::{SessionId, UserId},
    ports::{LiveSession, NewLiveSession, StoreError, TokenRepository},
    rotation::{Rotation, RotationOutcome},
};
use revolve_testkit::contract::{
    HistorySubject, MemorySubject, StoredToken, TokensSubject, histories::run_histories,
};
use std::{sync::Arc, time::Duration};

async fn make() -> MemorySubject {
    MemorySubject::new()
}

revolve_testkit::histories_contract!(make);

#[test]
fn every_outcome_is_reached_often() {
    let seen = run_histories(400, make);
    let outcomes = [
        "device mismatch",
        "unknown",
        "healed",
        "rotated",
        "repeated",
        "repeated late",
        "stale",
        "reused and revoked",
        "reused and kept",
        "another token",
    ];
    for outcome in outcomes {
        let often = seen.get(outcome).copied().unwrap_or(0);
        assert!(
            often >= 15,
            "expected 400 histories to reach `{outcome}` at least 15 times, got {often} of {seen:?}"
        );
    }
}

/// An adapter with one fault.
struct Strayed {
    memory: MemorySubject,
    fault: Bug,
}

#[derive(Clone, Copy)]
enum Bug {
    /// Retries change nothing: late ones are not charged.
    ForgetsLateRetries,
    /// Judges expiry by the replica's clock where it must heal.
    HealsExpired,
    /// Removes the kept session, too.
    KeepsNothing,
    /// Takes every token of the live generation for the live one.
    TrustsTheGeneration,
}

struct StrayedTokens {
    memory: Arc<dyn TokenRepository>,
    fault: Bug,
}

#[async_trait]
impl TokenRepository for StrayedTokens {
    async fn begin(&self, session: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        self.memory.begin(session).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        let mut rotation = *rotation;
        match self.fault {
            Bug::ForgetsLateRetries => rotation.policy.late_retries = u32::MAX,
            Bug::HealsExpired => rotation.expired = false,
            Bug::KeepsNothing => {}
            Bug::TrustsTheGeneration => {
                let live = self.memory.list(rotation.user).await?;
                let own = live.iter().find(|live| {
                    live.session == rotation.session && live.token.generation == rotation.presented
                });
                if let Some(own) = own {
                    rotation.presented_issued_at = own.token.issued_at;
                }
            }
        }
        self.memory.rotate(&rotation).await
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        self.memory.end(user, sessions).await
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: revolve_domain::model::Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let kept = kept.filter(|_| !matches!(self.fault, Bug::KeepsNothing));
        self.memory.end_older(user, epoch, kept).await
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        self.memory.list(user).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.memory.ping().await
    }
}

#[async_trait]
impl TokensSubject for Strayed {
    fn repository(&self) -> Arc<dyn TokenRepository> {
        Arc::new(StrayedTokens {
            memory: self.memory.repository(),
            fault: self.fault,
        })
    }

    async fn advance(&self, user: UserId, by: Duration) {
        self.memory.advance(user, by).await;
    }
}

#[async_trait]
impl HistorySubject for Strayed {
    async fn roll_back(&self, user: UserId, session: SessionId, state: Option<StoredToken>) {
        self.memory.roll_back(user, session, state).await;
    }
}

fn stray(fault: Bug) {
    run_histories(2000, || async move {
        Strayed {
            memory: MemorySubject::new(),
            fault,
        }
    });
}

#[test]
#[should_panic(expected = "the white list differs from the state machine")]
fn an_adapter_that_forgets_late_retries_is_found() {
    stray(Bug::ForgetsLateRetries);
}

#[test]
#[should_panic(expected = "the white list differs from the state machine")]
fn an_adapter_that_heals_expired_tokens_is_found() {
    stray(Bug::HealsExpired);
}

#[test]
#[should_panic(expected = "the white list differs from the state machine")]
fn an_adapter_that_keeps_nothing_is_found() {
    stray(Bug::KeepsNothing);
}

#[test]
#[should_panic(expected = "the white list differs from the state machine")]
fn an_adapter_that_takes_any_token_of_the_live_generation_is_found() {
    stray(Bug::TrustsTheGeneration);
}
