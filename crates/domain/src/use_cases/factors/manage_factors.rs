//! What operators do with the factors of accounts.

use crate::{
    journal::Actor,
    model::{AccountFactors, Label, Timestamp, UserId},
    ports::{Clearings, FactorFault, Factors, SessionRepository, StoreError, TokenRepository},
    use_cases::parts::{Failure, OperatorPorts, from_via},
};
use std::{sync::Arc, time::Duration};

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
pub struct ManageFactors {}

impl ManageFactors {
    pub(crate) fn new(
        _ports: &OperatorPorts,
        _store: Arc<dyn Factors>,
        _tokens: Arc<dyn TokenRepository>,
        _sessions: Arc<dyn SessionRepository>,
        _clearings: Arc<dyn Clearings>,
        _delay: Duration,
    ) -> Self {
        Self {}
    }

    /// The factors of an account. The sealed secrets and MACs in it are for nobody.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn of(&self, _user: UserId) -> Result<AccountFactors, Failure> {
        todo!()
    }

    /// Orders a reset of all factors, which counts after [`AccountPolicy::factor_reset_delay`](crate::policy::AccountPolicy::factor_reset_delay). The owner is told by mail,
    /// with a link that stops it.
    ///
    /// # Errors
    /// [`ResetFactorsError`]; then nothing changed.
    pub async fn order_reset(
        &self,
        _user: UserId,
        _note: Option<Label>,
        _actor: Actor,
    ) -> Result<OrderedReset, ResetFactorsError> {
        todo!()
    }

    /// Resets all factors at once and ends all sessions. `note`: why the owner is not waited for.
    ///
    /// # Errors
    /// [`ResetFactorsError`]; then nothing changed.
    pub async fn force_reset(
        &self,
        _user: UserId,
        _note: Label,
        _actor: Actor,
    ) -> Result<(), ResetFactorsError> {
        todo!()
    }
}
