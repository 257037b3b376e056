//! Passkeys of an account, in a session.

use super::{
    ChangeFactorsError, PasskeyChallenge, ShownRecoveryCodes,
    challenges::{Challenges, NotAnswered, descriptors},
    change::{FactorChanges, FactorOwner},
    recovery_codes::RecoveryCodeMaker,
};
use crate::{
    factors::{RemovedFactor, has_room},
    journal::SecurityEvent,
    model::{
        Challenge, ChallengeId, ChallengeKind, ChallengedUser, FactorKind, Label, Passkey,
        PasskeyCredential, PasskeyId, Timestamp, UserId,
    },
    ports::{
        AddFactorOutcome, Entropy, PasskeyCeremonies, PasskeyOwner, PasskeyRegistration,
        PasskeyRename, RenameOutcome,
    },
    use_cases::{parts::ServicePorts, sessions::Caller},
};
use serde_json::Value;
use std::sync::Arc;

/// A passkey that an authenticator has made.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// The challenge of [`ManagePasskeys::begin`].
    pub challenge: ChallengeId,
    /// `RegistrationResponseJSON` (WebAuthn Level 3 §5.1.8).
    pub credential: Value,
    /// What the user calls it, at most [`Passkey::NAME_MAX`] characters; without one the name of the authenticator's model.
    pub name: Option<Label>,
}

/// A passkey was added.
#[derive(Clone, Debug)]
pub struct AddedPasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// Recovery codes, if the account had none.
    pub codes: Option<ShownRecoveryCodes>,
}

/// Makes rows of passkeys.
pub(in crate::use_cases) struct PasskeyMaker {
    ceremonies: Arc<dyn PasskeyCeremonies>,
    entropy: Arc<dyn Entropy>,
}

impl PasskeyMaker {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            ceremonies: ports.factors.ceremonies.clone(),
            entropy: ports.entropy.clone(),
        }
    }

    /// Without a name it has that of its authenticator's model.
    pub(in crate::use_cases) fn make(
        &self,
        user: UserId,
        credential: PasskeyCredential,
        name: Option<Label>,
        at: Timestamp,
    ) -> Passkey {
        let model = || self.ceremonies.authenticator_name(&credential.aaguid);
        let name = name
            .or_else(|| Label::lossy(&shortened(model()?)))
            .unwrap_or_else(Label::passkey);
        Passkey {
            id: PasskeyId::from_random(self.entropy.bytes()),
            user,
            name,
            credential,
            created_at: at,
            used_at: None,
        }
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(Passkey::NAME_MAX).collect()
}

/// Adds, renames and removes passkeys. [`ReadFactors`](super::ReadFactors) lists them.
pub struct ManagePasskeys {
    changes: FactorChanges,
    challenges: Challenges,
    codes: RecoveryCodeMaker,
    passkeys: PasskeyMaker,
    ceremonies: Arc<dyn PasskeyCeremonies>,
}

impl ManagePasskeys {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            changes: FactorChanges::new(ports),
            challenges: Challenges::new(ports),
            codes: RecoveryCodeMaker::new(ports),
            passkeys: PasskeyMaker::new(ports),
            ceremonies: ports.factors.ceremonies.clone(),
        }
    }

    /// Begins a registration. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `TooMany` and what all changes have.
    pub async fn begin(&self, caller: &Caller) -> Result<PasskeyChallenge, ChangeFactorsError> {
        let owner = self.changes.reauthenticated(caller).await?;
        let user = &owner.user;
        let factors = self.changes.store.of(user.id).await?;
        if !has_room(&factors) {
            return Err(ChangeFactorsError::TooMany);
        }
        let address = user.email.as_str();
        let ceremony = self.ceremonies.begin_registration(&PasskeyOwner {
            user: user.id,
            name: address,
            display_name: user.details.name.as_ref().map_or(address, Label::as_str),
            exclude: &descriptors(&factors.passkeys),
        })?;
        let of = ChallengedUser {
            id: user.id,
            epoch: user.epoch,
            session: Some(owner.session.id),
        };
        let kind = ChallengeKind::Registration;
        match self.challenges.open(kind, Some(of), ceremony).await? {
            Some(opened) => Ok(opened),
            None => Err(self.changes.superseded(caller).await),
        }
    }

    /// Adds the passkey, in the session that the challenge is of. [`Self::begin`] has seen to the reauthentication.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `Gone`, `CredentialRefused`, `TooMany` and what all changes have.
    pub async fn add(
        &self,
        caller: &Caller,
        new: NewPasskey,
    ) -> Result<AddedPasskey, ChangeFactorsError> {
        let mut owner = self.changes.authenticated(caller).await?;
        let session = Some(owner.session.id);
        let is_own = |found: &Challenge| found.user.is_some_and(|user| user.session == session);
        let (id, kind) = (new.challenge, ChallengeKind::Registration);
        let tried = self
            .challenges
            .attempt(id, kind, &caller.client, is_own)
            .await?;
        let challenge = tried?;
        owner.epoch = challenge.user.map(|user| user.epoch);
        let registered = self.challenges.registered(&challenge, &new.credential);
        let credential = match registered {
            Ok(credential) => credential,
            Err(refused) => {
                self.changes.refuse(&owner);
                return Err(refused.into());
            }
        };
        let added = self.commit(caller, &owner, new, credential).await;
        if matches!(added, Err(ChangeFactorsError::Refused(_))) {
            self.challenges.forgive(id).await;
        }
        added
    }

    async fn commit(
        &self,
        caller: &Caller,
        owner: &FactorOwner,
        new: NewPasskey,
        credential: PasskeyCredential,
    ) -> Result<AddedPasskey, ChangeFactorsError> {
        let (user, at) = (owner.user.id, self.changes.clock.now());
        let (codes, shown) = self.codes.make(user, at)?;
        let registration = PasskeyRegistration {
            challenge: new.challenge,
            passkey: self.passkeys.make(user, credential, new.name, at),
            codes,
            asking: owner.asking(),
            at,
        };
        let tell = self.changes.added(owner, FactorKind::Passkey, at);
        let store = &self.changes.store;
        let outcome = store.add_passkey(&registration, &tell).await?;
        self.changes.recorder.record(&tell, &outcome);
        match outcome {
            AddFactorOutcome::Added { codes, raised } => {
                self.changes.clear_others(owner, raised).await;
                Ok(AddedPasskey {
                    passkey: registration.passkey,
                    codes: codes.then_some(shown),
                })
            }
            AddFactorOutcome::CredentialTaken => Err(ChangeFactorsError::CredentialRefused),
            AddFactorOutcome::TooMany => Err(ChangeFactorsError::TooMany),
            AddFactorOutcome::Gone => Err(ChangeFactorsError::Gone),
            AddFactorOutcome::Superseded => Err(match self.changes.superseded(caller).await {
                // Its reauthentication counts for nothing any more.
                ChangeFactorsError::ReauthenticationRequired => ChangeFactorsError::Gone,
                refused => refused,
            }),
        }
    }

    /// Gives a passkey another name, of at most [`Passkey::NAME_MAX`] characters. It needs no reauthentication.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `NotFound`, `Refused`.
    pub async fn rename(
        &self,
        caller: &Caller,
        passkey: PasskeyId,
        name: Label,
    ) -> Result<(), ChangeFactorsError> {
        let owner = self.changes.authenticated(caller).await?;
        let (user, at) = (owner.user.id, self.changes.clock.now());
        let rename = PasskeyRename {
            user,
            passkey,
            name,
            asking: owner.asking(),
            at,
        };
        let event = SecurityEvent::FactorRenamed {
            user,
            session: owner.session.id,
            address: caller.client.address,
            factor: FactorKind::Passkey,
        };
        let tell = self
            .changes
            .tell(&owner, at, vec![event].into(), |outcome| {
                matches!(outcome, RenameOutcome::Renamed)
            });
        let outcome = self.changes.store.rename_passkey(&rename, &tell).await?;
        self.changes.recorder.record(&tell, &outcome);
        match outcome {
            RenameOutcome::Renamed => Ok(()),
            RenameOutcome::NotFound => Err(ChangeFactorsError::NotFound),
            RenameOutcome::Superseded => Err(self.changes.superseded(caller).await),
        }
    }

    /// Removes a passkey. The recovery codes go with the last factor. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `NotFound`, `LastFactor` and what all changes have.
    pub async fn remove(
        &self,
        caller: &Caller,
        passkey: PasskeyId,
    ) -> Result<(), ChangeFactorsError> {
        let factor = RemovedFactor::Passkey(passkey);
        self.changes.remove(caller, factor).await
    }
}

impl From<NotAnswered> for ChangeFactorsError {
    fn from(not_answered: NotAnswered) -> Self {
        match not_answered {
            NotAnswered::Gone => Self::Gone,
            NotAnswered::Limited(limited) => limited.into(),
            NotAnswered::Refused => Self::CredentialRefused,
        }
    }
}
