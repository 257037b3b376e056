//! An account that was made elsewhere, with the hash that it had there.

use crate::{
    model::{Credentials, Details, EmailAddress, Epoch, PasswordHash, Timestamp, User, UserId},
    ports::{AddOutcome, Clock, Entropy, StoreError, UserRepository},
    use_cases::parts::Failure,
};
use std::sync::Arc;

/// An account to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// Its address.
    pub email: EmailAddress,
    /// Its hash, in any form that the hasher knows.
    pub hash: PasswordHash,
    /// Its id, if it is to keep the one that it has; a new one otherwise.
    pub id: Option<UserId>,
    /// What the user said about themselves.
    pub details: Details,
    /// When it was made; now, if that is not known.
    pub created_at: Option<Timestamp>,
    /// Whether it can't be used.
    pub disabled: bool,
}

/// How an import came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The account is there now.
    Imported,
    /// It was imported before. Nothing changed.
    Present,
    /// Another account has that address. Nothing changed.
    EmailTaken,
    /// Another account has that id. Nothing changed.
    IdTaken,
}

/// Imports accounts.
#[derive(Clone)]
pub struct ImportAccount {
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub entropy: Arc<dyn Entropy>,
}

impl ImportAccount {
    /// Creates the account, unless it is there.
    ///
    /// # Errors
    /// [`Failure`]; whether the account is there is not known then, and the same import again finds out.
    pub async fn execute(&self, request: &ImportRequest) -> Result<ImportOutcome, Failure> {
        let now = self.clock.now();
        let user = User {
            id: request
                .id
                .unwrap_or_else(|| UserId::from_random(self.entropy.bytes())),
            email: request.email.clone(),
            details: request.details.clone(),
            created_at: request.created_at.unwrap_or(now),
            disabled_at: request.disabled.then_some(now),
            epoch: Epoch::FIRST,
            kept_session: None,
        };
        match self.users.add(&user, &request.hash).await? {
            AddOutcome::Added => Ok(ImportOutcome::Imported),
            outcome => Ok(self.look(request).await?.unwrap_or(match outcome {
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
        if let Some(outcome) = self.look(request).await? {
            return Ok(outcome);
        }
        Ok(match request.id {
            Some(id) if self.users.credentials(id).await?.is_some() => ImportOutcome::IdTaken,
            _ => ImportOutcome::Imported,
        })
    }

    async fn look(&self, request: &ImportRequest) -> Result<Option<ImportOutcome>, StoreError> {
        let found = self
            .users
            .credentials_by_email(&request.email, None)
            .await?;
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

/// Whether this account, which has the address, is the one of the request. A sign-in may have renewed the hash and the user their
/// details meanwhile; the id and the time of creation stay.
fn is_same(request: &ImportRequest, found: &Credentials) -> bool {
    match request.id {
        Some(id) => id == found.user.id,
        None => {
            request.hash.expose() == found.hash.expose()
                || request.created_at == Some(found.user.created_at)
        }
    }
}
