//! An account that a program of operators creates: once, however often it asks.

use super::add_account::{AddAccount, AddAccountError, AddAccountRequest};
use crate::{
    journal::Actor,
    model::{Fingerprint, User, UserId},
    ports::{
        Claim, Clock, Entropy, Journal, JournalQuery, NamedRequest, NamedRequests, StoreError,
        UserRepository,
    },
    use_cases::parts::{AdminPorts, Failure, from_via},
};
use std::{sync::Arc, time::Duration};

/// How far the clocks of replicas may be apart.
const SKEW: Duration = Duration::from_mins(1);

/// The name that a request has been given, so that it can be repeated.
#[derive(Clone, Copy, Debug)]
pub struct RequestName {
    /// Of the sender and the name.
    pub name: Fingerprint,
    /// Of all that the request asks for.
    pub content: Fingerprint,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    /// It was not added.
    #[error(transparent)]
    Refused(#[from] AddAccountError),
    /// Another request has had the name.
    #[error("another request has had this name within a day")]
    NameTaken,
    /// It was created by an earlier request of the name, and is deleted since.
    #[error("the account that this request has made is deleted")]
    Gone,
}

from_via!(CreateAccountError: StoreError => Failure, Failure => AddAccountError);

/// Creates accounts.
pub struct CreateAccount {
    add: AddAccount,
    users: Arc<dyn UserRepository>,
    requests: Arc<dyn NamedRequests>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl CreateAccount {
    pub(crate) fn new(ports: &AdminPorts) -> Self {
        let service = &ports.service;
        Self {
            add: ports.operators().add_account(
                service.proofs.clone(),
                service.hasher.clone(),
                service.strength.clone(),
            ),
            users: service.users.clone(),
            requests: ports.requests.clone(),
            journal: service.journal.clone(),
            clock: service.clock.clone(),
            entropy: service.entropy.clone(),
        }
    }

    /// Creates the account, or answers the one that an earlier request of the same name and content has created, as it is now.
    ///
    /// # Errors
    /// [`CreateAccountError`]; then there is no account, unless the commit itself was cut off: a request with a name can be repeated.
    pub async fn execute(
        &self,
        mut request: AddAccountRequest,
        named: Option<RequestName>,
        actor: Actor,
    ) -> Result<User, CreateAccountError> {
        let Some(RequestName { name, content }) = named else {
            return Ok(self.add.execute(request, actor).await?);
        };
        let email = request.email.clone();
        // Another request may name the same id, even in the same moment.
        let is_made_by = |first: &NamedRequest, user: &User| {
            user.created_at.plus(SKEW) >= first.at && user.email.key() == email.key()
        };
        let new = || UserId::from_random(self.entropy.bytes());
        let claimed = NamedRequest {
            name,
            content,
            id: *request.id.unwrap_or_else(new).as_uuid(),
            at: self.clock.now(),
        };
        let first = match self.requests.claim(&claimed).await? {
            Claim::New => claimed,
            Claim::Other => return Err(CreateAccountError::NameTaken),
            Claim::Again(first) => match self.holder(&first).await? {
                // Its address may have been changed since.
                Some(user) if user.created_at >= first.at || is_made_by(&first, &user) => {
                    return Ok(user);
                }
                // Between the two reads the same request may have made it on another connection.
                None if self.was_made(&first).await? => {
                    let made = self.holder(&first).await?;
                    let made = made.filter(|user| is_made_by(&first, user));
                    return made.ok_or(CreateAccountError::Gone);
                }
                _ => first,
            },
        };
        request.id = Some(UserId::from_uuid(first.id));
        match self.add.execute(request, actor).await {
            Ok(user) => Ok(user),
            Err(AddAccountError::Failed(failure)) => Err(failure.into()),
            // The same request may have come first, on another connection.
            Err(refused) => {
                let holder = self.holder(&first).await?;
                if let Some(made) = holder.filter(|user| is_made_by(&first, user)) {
                    return Ok(made);
                }
                self.requests.release(&first).await?;
                Err(refused.into())
            }
        }
    }

    /// The account that has the request's id.
    async fn holder(&self, first: &NamedRequest) -> Result<Option<User>, StoreError> {
        let found = self.users.credentials(UserId::from_uuid(first.id)).await?;
        Ok(found.map(|found| found.user))
    }

    /// Whether it has made one that is deleted by now: its creation is in the journal.
    async fn was_made(&self, first: &NamedRequest) -> Result<bool, StoreError> {
        let query = JournalQuery {
            user: Some(UserId::from_uuid(first.id)),
            from: Some(first.at.minus(SKEW)),
            limit: 1,
            ..JournalQuery::default()
        };
        Ok(!self.journal.read(&query).await?.is_empty())
    }
}
