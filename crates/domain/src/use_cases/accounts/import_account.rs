//! An account of another system, with its password hash.

use super::add_account::added;
use crate::{
    journal::{Actor, SecurityEvent},
    model::{
        AccountVersion, AppData, Credentials, Details, EmailAddress, Epoch, PasswordHash, Roles,
        SetUpFactors, Timestamp, User, UserId,
    },
    ports::{AddOutcome, Clock, Entropy, Proofs, StoreError, UserRepository},
    use_cases::parts::{Failure, OperatorPorts, Recorder},
};
use std::sync::Arc;

/// An account to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// The password hash, in any form that the hasher supports, or the mark of an account that has none.
    pub hash: PasswordHash,
    /// The id to keep; `None` for a new one.
    pub id: Option<UserId>,
    /// The user's name and links.
    pub details: Details,
    /// Whether its owner has proved to read the address.
    pub email_verified: bool,
    /// Its roles.
    pub roles: Roles,
    /// What applications keep with it.
    pub app: AppData,
    /// When it was created; `None` for now.
    pub created_at: Option<Timestamp>,
    /// Whether it is disabled.
    pub disabled: bool,
}

/// How an import came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The account was created.
    Imported,
    /// It had been imported before. Nothing changed.
    Present,
    /// Another account has that address, or can take it back. Nothing changed.
    EmailTaken,
    /// Another account has that id. Nothing changed.
    IdTaken,
}

/// Imports accounts.
#[derive(Clone)]
pub struct ImportAccount {
    users: Arc<dyn UserRepository>,
    proofs: Arc<dyn Proofs>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    recorder: Recorder,
}

impl ImportAccount {
    pub(crate) fn new(ports: &OperatorPorts, proofs: Arc<dyn Proofs>) -> Self {
        Self {
            users: ports.users.clone(),
            proofs,
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), ports.mail),
        }
    }

    /// Creates the account, unless it is there.
    ///
    /// # Errors
    /// [`Failure`]; then the account may exist, and the same import again finds out.
    pub async fn execute(&self, request: &ImportRequest) -> Result<ImportOutcome, Failure> {
        let now = self.clock.now();
        let user = User {
            factors: SetUpFactors::default(),
            id: request
                .id
                .unwrap_or_else(|| UserId::from_random(self.entropy.bytes())),
            email: request.email.clone(),
            email_verified_at: request.email_verified.then_some(now),
            details: request.details.clone(),
            created_at: request.created_at.unwrap_or(now),
            disabled_at: request.disabled.then_some(now),
            epoch: Epoch::FIRST,
            kept_session: None,
            roles: request.roles.clone(),
            app: request.app.clone(),
            version: AccountVersion::at(now),
        };
        let imported = SecurityEvent::AccountImported { user: user.id };
        let tell = self.recorder.tell(now, Actor::Operator, added(imported));
        // The journal tells it; a log line for each of a million accounts would not help.
        match self.users.add(&user, &request.hash, &tell).await? {
            AddOutcome::Added => Ok(ImportOutcome::Imported),
            outcome => Ok(self.existing(request).await?.unwrap_or(match outcome {
                AddOutcome::IdTaken => ImportOutcome::IdTaken,
                _ => ImportOutcome::EmailTaken,
            })),
        }
    }

    /// What [`Self::execute`] would answer now, without doing it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn rehearse(&self, request: &ImportRequest) -> Result<ImportOutcome, Failure> {
        if let Some(outcome) = self.existing(request).await? {
            return Ok(outcome);
        }
        let undo = self.proofs.undo_of(&request.email, self.clock.now());
        if undo.await?.is_some() {
            return Ok(ImportOutcome::EmailTaken);
        }
        Ok(match request.id {
            Some(id) if self.users.credentials(id).await?.is_some() => ImportOutcome::IdTaken,
            _ => ImportOutcome::Imported,
        })
    }

    async fn existing(&self, request: &ImportRequest) -> Result<Option<ImportOutcome>, StoreError> {
        let found = self.users.credentials_by_email(&request.email, &[]).await?;
        let outcome = |found: Credentials| {
            if is_same(request, &found) {
                ImportOutcome::Present
            } else {
                ImportOutcome::EmailTaken
            }
        };
        Ok(found.map(outcome))
    }
}

/// Whether the account with this address is the one of the request. The hash and the details may have changed since the
/// import; the id and the time of creation have not.
fn is_same(request: &ImportRequest, found: &Credentials) -> bool {
    match request.id {
        Some(id) => id == found.user.id,
        None => {
            request.hash.expose() == found.hash.expose()
                || request.created_at == Some(found.user.created_at)
        }
    }
}
