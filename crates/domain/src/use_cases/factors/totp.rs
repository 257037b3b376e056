//! Authenticator apps.

use super::{
    ChangeFactorsError, ShownRecoveryCodes,
    change::{FactorChanges, FactorOwner},
    recovery_codes::RecoveryCodeMaker,
};
use crate::{
    factors::RemovedFactor,
    journal::SecurityEvent,
    model::{FactorKind, OneTimeCode, Totp, UserId},
    ports::{
        AddFactorOutcome, FactorSecretUse, FactorSecrets, OneTimeCodes, TotpConfirmation,
        TotpEnrolment, TotpSetUp, TotpSetUpOutcome,
    },
    use_cases::{
        parts::{KnownClient, RequestLimits, ServicePorts},
        sessions::Caller,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// What an authenticator app is set up with; it waits for its first code.
pub type NewTotp = TotpEnrolment;

/// Sets up, confirms and removes authenticator apps.
pub struct ManageTotp {
    changes: FactorChanges,
    codes: RecoveryCodeMaker,
    secrets: Arc<dyn FactorSecrets>,
    one_time: Arc<dyn OneTimeCodes>,
    limits: RequestLimits,
}

impl ManageTotp {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            changes: FactorChanges::new(ports),
            codes: RecoveryCodeMaker::new(ports),
            secrets: ports.factors.secrets.clone(),
            one_time: ports.factors.codes.clone(),
            limits: RequestLimits::new(ports),
        }
    }

    /// Makes a secret. It counts for nothing before [`Self::confirm`]; the one that waited before is gone. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `AlreadySetUp` and what all changes have.
    pub async fn set_up(&self, caller: &Caller) -> Result<NewTotp, ChangeFactorsError> {
        let owner = self.changes.reauthenticated(caller).await?;
        let (user, at) = (owner.user.id, self.changes.clock.now());
        let sealed = self.secrets.make(user, FactorSecretUse::Totp)?;
        let secret = self.secrets.open(user, FactorSecretUse::Totp, &sealed)?;
        let enrolment = self
            .one_time
            .enrolment(&secret, owner.user.email.as_str())?;
        let set_up = TotpSetUp {
            totp: Totp {
                user,
                sealed,
                created_at: at,
                confirmed_at: None,
                last_step: None,
            },
            asking: owner.asking(),
        };
        let event = SecurityEvent::TotpSetUp {
            user,
            session: owner.session.id,
            address: caller.client.address,
        };
        let tell = self
            .changes
            .tell(&owner, at, vec![event].into(), |outcome| {
                matches!(outcome, TotpSetUpOutcome::Waiting)
            });
        let outcome = self.changes.store.set_up_totp(&set_up, &tell).await?;
        self.changes.recorder.record(&tell, &outcome);
        match outcome {
            TotpSetUpOutcome::Waiting => Ok(enrolment),
            TotpSetUpOutcome::Confirmed => Err(ChangeFactorsError::AlreadySetUp),
            TotpSetUpOutcome::Superseded => Err(self.changes.superseded(caller).await),
        }
    }

    /// What the app that waits for its first code is set up with, to show it once more to whoever was shown its secret: another session of the account
    /// may have set up another one meanwhile. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `Gone` if it is not that secret that waits, and what all changes have.
    pub async fn waiting(
        &self,
        caller: &Caller,
        shown: &SecretString,
    ) -> Result<NewTotp, ChangeFactorsError> {
        let owner = self.changes.reauthenticated(caller).await?;
        let user = owner.user.id;
        let totp = self.waiting_of(user).await?;
        let secret = self
            .secrets
            .open(user, FactorSecretUse::Totp, &totp.sealed)?;
        let email = owner.user.email.as_str();
        let enrolment = self.one_time.enrolment(&secret, email)?;
        let (waits, shown) = (enrolment.secret.expose_secret(), shown.expose_secret());
        if bool::from(waits.as_bytes().ct_eq(shown.as_bytes())) {
            Ok(enrolment)
        } else {
            Err(ChangeFactorsError::Gone)
        }
    }

    async fn waiting_of(&self, user: UserId) -> Result<Totp, ChangeFactorsError> {
        let waiting = self.changes.store.of(user).await?.totp;
        let waiting = waiting.filter(|totp| totp.confirmed_at.is_none());
        waiting.ok_or(ChangeFactorsError::Gone)
    }

    /// Makes the app count, by its first code, which counts no more. Answers recovery codes, if the account had none. The caller must have
    /// reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `Gone`, `WrongCode` and what all changes have.
    pub async fn confirm(
        &self,
        caller: &Caller,
        code: &OneTimeCode,
    ) -> Result<Option<ShownRecoveryCodes>, ChangeFactorsError> {
        let owner = self.changes.reauthenticated(caller).await?;
        let known = KnownClient::Session(owner.user.id, owner.session.id);
        let limits = &self.limits;
        let taken = limits
            .factor(owner.user.id, Some(known), &caller.client)
            .await?;
        let outcome = self.confirm_by(caller, &owner, code).await;
        if !matches!(outcome, Err(ChangeFactorsError::WrongCode)) {
            limits.give_back(taken).await;
        }
        outcome
    }

    async fn confirm_by(
        &self,
        caller: &Caller,
        owner: &FactorOwner,
        code: &OneTimeCode,
    ) -> Result<Option<ShownRecoveryCodes>, ChangeFactorsError> {
        let (user, at) = (owner.user.id, self.changes.clock.now());
        let totp = self.waiting_of(user).await?;
        let secret = self
            .secrets
            .open(user, FactorSecretUse::Totp, &totp.sealed)?;
        let Some(step) = self.one_time.step(&secret, code, at) else {
            self.changes.refuse(owner);
            return Err(ChangeFactorsError::WrongCode);
        };
        let (codes, shown) = self.codes.make(user, at)?;
        let confirmation = TotpConfirmation {
            totp,
            step,
            codes,
            asking: owner.asking(),
            at,
        };
        let tell = self.changes.added(owner, FactorKind::Totp, at);
        let store = &self.changes.store;
        let outcome = store.confirm_totp(&confirmation, &tell).await?;
        self.changes.recorder.record(&tell, &outcome);
        match outcome {
            AddFactorOutcome::Added { codes, raised } => {
                self.changes.clear_others(owner, raised).await;
                Ok(codes.then_some(shown))
            }
            AddFactorOutcome::Superseded => Err(self.changes.superseded(caller).await),
            AddFactorOutcome::Gone
            | AddFactorOutcome::CredentialTaken
            | AddFactorOutcome::TooMany => Err(ChangeFactorsError::Gone),
        }
    }

    /// Removes the app, confirmed or not. The recovery codes go with the last factor. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `NotFound`, `LastFactor` and what all changes have.
    pub async fn remove(&self, caller: &Caller) -> Result<(), ChangeFactorsError> {
        self.changes.remove(caller, RemovedFactor::Totp).await
    }
}
