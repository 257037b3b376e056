//! Resets of factors: those whose time has come, and those that do not wait.

use super::ForAccounts;
use crate::{
    journal::{Actor, MailKind, SecurityEvent, Told},
    model::{ClientInfo, EndReason, Label, User, UserId},
    ports::{Clearing, Clock, Factors, ResetFactors, ResetOutcome, StoreError, UserRepository},
    use_cases::{
        parts::{Failure, Recorder, ServicePorts},
        sessions::Clear,
    },
};
use std::sync::Arc;

/// Commits resets.
#[derive(Clone)]
pub(super) struct Resets {
    store: Arc<dyn Factors>,
    clear: Clear,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

/// What became of a reset.
pub(super) enum AppliedReset {
    Reset,
    /// None is due, or there is nothing to reset.
    Nothing,
    NotFound,
}

impl Resets {
    pub(super) fn new(
        store: Arc<dyn Factors>,
        clear: Clear,
        clock: Arc<dyn Clock>,
        recorder: Recorder,
    ) -> Self {
        Self {
            store,
            clear,
            clock,
            recorder,
        }
    }

    /// Resets, ends all sessions and tells the owner.
    pub(super) async fn apply(
        &self,
        account: &User,
        when: ResetFactors,
        note: Option<Label>,
        actor: Actor,
    ) -> Result<AppliedReset, StoreError> {
        let (user, at) = (account.id, self.clock.now());
        let (kind, client) = (MailKind::FactorsReset, ClientInfo::default());
        let notice = self.recorder.notice(kind, account, &client, at);
        let told = Told {
            events: vec![
                SecurityEvent::FactorsReset { user, note },
                SecurityEvent::SessionsEnded {
                    user,
                    kept: None,
                    reason: EndReason::FactorsReset,
                },
            ],
            mails: notice.into_iter().collect(),
        };
        let tell = self
            .recorder
            .tell(at, actor, move |outcome: &ResetOutcome| match outcome {
                ResetOutcome::Reset(_) => told.clone(),
                ResetOutcome::Nothing | ResetOutcome::NotFound => Told::default(),
            });
        let outcome = self.store.reset(user, when, at, &tell).await?;
        self.recorder.record(&tell, &outcome);
        Ok(match outcome {
            ResetOutcome::Reset(account) => {
                let older = Clearing::Older {
                    user,
                    epoch: account.epoch,
                    kept: None,
                };
                self.clear.execute(older).await;
                AppliedReset::Reset
            }
            ResetOutcome::Nothing => AppliedReset::Nothing,
            ResetOutcome::NotFound => AppliedReset::NotFound,
        })
    }
}

/// Applies resets of factors that were ordered. Every replica may: of each reset one does.
#[derive(Clone)]
pub struct ApplyFactorResets {
    store: Arc<dyn Factors>,
    users: Arc<dyn UserRepository>,
    clock: Arc<dyn Clock>,
    resets: Resets,
}

impl ApplyFactorResets {
    /// The most accounts of one call.
    pub const BATCH: u32 = 100;

    pub(crate) fn new(ports: &ServicePorts) -> Self {
        let (store, clock) = (ports.factors.store.clone(), ports.clock.clone());
        let (clear, recorder) = (Clear::new(ports), Recorder::new(ports));
        Self {
            resets: Resets::new(store.clone(), clear, clock.clone(), recorder),
            users: ports.users.clone(),
            store,
            clock,
        }
    }

    /// Resets the factors of up to [`Self::BATCH`] accounts whose time has come. An account that fails holds up no other.
    ///
    /// # Errors
    /// [`Failure`] where a store can't be reached; what was reset before stays so.
    pub async fn execute(&self) -> Result<ForAccounts, Failure> {
        let due = self.store.due_resets(self.clock.now(), Self::BATCH).await?;
        let mut all = ForAccounts::default();
        for user in due {
            match self.apply(user).await {
                Ok(is_reset) => all.done += u64::from(is_reset),
                Err(error) => all.fail(user, error.into())?,
            }
        }
        Ok(all)
    }

    async fn apply(&self, user: UserId) -> Result<bool, StoreError> {
        let Some(account) = self.users.credentials(user).await? else {
            return Ok(false);
        };
        let when = ResetFactors::IfDue;
        let reset = self.resets.apply(&account.user, when, None, Actor::System);
        Ok(matches!(reset.await?, AppliedReset::Reset))
    }
}
