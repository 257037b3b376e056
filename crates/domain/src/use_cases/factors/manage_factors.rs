//! What operators do with the factors of accounts.

use super::apply_resets::{AppliedReset, Resets};
use crate::{
    journal::{Actor, MailKind, NewMail, SecurityEvent, Told},
    model::{
        AccountFactors, ClientInfo, Credentials, Label, Proof, ProofId, ProofPurpose, Timestamp,
        UserId,
    },
    ports::{
        Clearings, Clock, Entropy, FactorFault, Factors, ResetFactors, ResetOrder,
        ResetOrderOutcome, SessionRepository, StoreError, TokenRepository, UserRepository,
    },
    use_cases::{
        parts::{Failure, OperatorPorts, Recorder, from_via},
        sessions::Clear,
    },
};
use std::{sync::Arc, time::Duration};
use time::format_description::well_known::Rfc3339;

/// Why the factors of an account were not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetFactorsError {
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// The account has no factor and no recovery code.
    #[error("the account has no factors")]
    NoFactors,
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(ResetFactorsError: StoreError => Failure, FactorFault => Failure);

/// A reset was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderedReset {
    /// From when on it counts.
    pub due_at: Timestamp,
    /// Whether one was ordered before, which this did not change.
    pub was_pending: bool,
}

/// Reads and resets factors.
pub struct ManageFactors {
    store: Arc<dyn Factors>,
    users: Arc<dyn UserRepository>,
    resets: Resets,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    recorder: Recorder,
    /// Whether the service sends mail.
    has_mail: bool,
    delay: Duration,
}

impl ManageFactors {
    pub(crate) fn new(
        ports: &OperatorPorts,
        store: Arc<dyn Factors>,
        tokens: Arc<dyn TokenRepository>,
        sessions: Arc<dyn SessionRepository>,
        clearings: Arc<dyn Clearings>,
        delay: Duration,
    ) -> Self {
        let recorder = Recorder::with(ports.entropy.clone(), ports.events.clone(), ports.mail);
        let clock = ports.clock.clone();
        let clear = Clear::with(tokens, sessions, clock.clone(), clearings, recorder.clone());
        Self {
            resets: Resets::new(store.clone(), clear, clock.clone(), recorder.clone()),
            store,
            users: ports.users.clone(),
            clock,
            entropy: ports.entropy.clone(),
            recorder,
            has_mail: ports.mail.is_some(),
            delay,
        }
    }

    /// The factors of an account. The sealed secrets and MACs in it are for nobody.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn of(&self, user: UserId) -> Result<AccountFactors, Failure> {
        Ok(self.store.of(user).await?)
    }

    /// Orders a reset of all factors, which counts after [`AccountPolicy::factor_reset_delay`](crate::policy::AccountPolicy::factor_reset_delay). The owner is told
    /// by mail, with a link that stops it.
    ///
    /// # Errors
    /// [`ResetFactorsError`]; then nothing changed.
    pub async fn order_reset(
        &self,
        user: UserId,
        note: Option<Label>,
        actor: Actor,
    ) -> Result<OrderedReset, ResetFactorsError> {
        let account = self.users.credentials(user).await?;
        let account = account.ok_or(ResetFactorsError::NotFound)?;
        let at = self.clock.now();
        let due_at = at.plus(self.delay);
        let proof = self.has_mail.then(|| self.proof(&account, at, due_at));
        let mail = self.mail(&account, proof.as_ref(), at, due_at);
        let event = SecurityEvent::FactorResetOrdered { user, note };
        let told = move |outcome: &ResetOrderOutcome| match outcome {
            ResetOrderOutcome::Ordered => Told {
                events: vec![event.clone()],
                mails: mail.clone().into_iter().collect(),
            },
            _ => Told::default(),
        };
        let tell = self.recorder.tell(at, actor, told);
        let order = ResetOrder {
            user,
            due_at,
            proof,
            at,
        };
        let outcome = self.store.order_reset(&order, &tell).await?;
        self.recorder.record(&tell, &outcome);
        let (due_at, was_pending) = match outcome {
            ResetOrderOutcome::Ordered => (due_at, false),
            ResetOrderOutcome::Pending(due_at) => (due_at, true),
            ResetOrderOutcome::NoFactors => return Err(ResetFactorsError::NoFactors),
            ResetOrderOutcome::NotFound => return Err(ResetFactorsError::NotFound),
        };
        Ok(OrderedReset {
            due_at,
            was_pending,
        })
    }

    /// Resets all factors at once and ends all sessions. `note`: why the owner is not waited for.
    ///
    /// # Errors
    /// [`ResetFactorsError`]; then nothing changed.
    pub async fn force_reset(
        &self,
        user: UserId,
        note: Label,
        actor: Actor,
    ) -> Result<(), ResetFactorsError> {
        let account = self.users.credentials(user).await?;
        let account = account.ok_or(ResetFactorsError::NotFound)?;
        let forced = ResetFactors::Forced;
        match self
            .resets
            .apply(&account.user, forced, Some(note), actor)
            .await?
        {
            AppliedReset::Reset => Ok(()),
            AppliedReset::Nothing => Err(ResetFactorsError::NoFactors),
            AppliedReset::NotFound => Err(ResetFactorsError::NotFound),
        }
    }

    /// It is bound to the account alone: whatever a thief does with the account does not void it.
    fn proof(&self, account: &Credentials, at: Timestamp, due_at: Timestamp) -> Proof {
        let id = ProofId::from_random(self.entropy.bytes());
        Proof {
            binding: None,
            expires_at: due_at,
            ..Proof::by_operator(id, ProofPurpose::StopFactorReset, account, at)
        }
    }

    fn mail(
        &self,
        account: &Credentials,
        proof: Option<&Proof>,
        at: Timestamp,
        due_at: Timestamp,
    ) -> Option<NewMail> {
        let proof = proof?;
        let (kind, client) = (MailKind::FactorResetOrdered, ClientInfo::default());
        let notice = self.recorder.notice(kind, &account.user, &client, at)?;
        let due = due_at.to_datetime().format(&Rfc3339).unwrap_or_default();
        Some(NewMail {
            proof: Some(proof.id),
            expires_at: due_at,
            ..notice.about(due)
        })
    }
}
