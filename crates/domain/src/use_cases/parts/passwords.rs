//! Whether a password is an account's, wherever that is known.

use super::ServicePorts;
use crate::{
    model::{Credentials, HashKind, Password},
    ports::{HashFlow, LegacyVerifier, PasswordCheck, PasswordHasher, StoreError, UserRepository},
};
use std::sync::Arc;

/// Checks passwords of accounts.
#[derive(Clone)]
pub(crate) struct AccountPasswords {
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    legacy: Option<Arc<dyn LegacyVerifier>>,
}

impl AccountPasswords {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            legacy: ports.legacy.clone(),
        }
    }

    /// Whether the password is right. One hash is computed whatever the outcome, also without an account and for one without a password.
    pub(crate) async fn check(
        &self,
        flow: &HashFlow,
        password: &Password,
        account: Option<&Credentials>,
    ) -> Result<PasswordCheck, StoreError> {
        let hash = match account {
            Some(account) if account.hash.kind() == HashKind::Legacy => {
                let legacy = self.legacy.as_ref();
                if let Some(legacy) = legacy.filter(|_| account.user.disabled_at.is_none()) {
                    return self.ask(&**legacy, flow, password, account).await;
                }
                None
            }
            account => account
                .map(|account| &account.hash)
                .filter(|hash| hash.kind() == HashKind::Hash),
        };
        self.hasher.check(flow, password, hash).await
    }

    /// The hash comes first: the other system is asked no more often than passwords can be hashed here, and a place in the queue is not kept
    /// while it answers.
    async fn ask(
        &self,
        legacy: &dyn LegacyVerifier,
        flow: &HashFlow,
        password: &Password,
        account: &Credentials,
    ) -> Result<PasswordCheck, StoreError> {
        let hash = self.hasher.hash(flow, password).await?;
        if !legacy.verify(&account.user.email, password).await? {
            return Ok(PasswordCheck::Mismatch);
        }
        // In the place of the mark, unless the password was set meanwhile: then a sign-in is too late, too.
        self.users
            .rehash(account.user.id, &account.hash, &hash)
            .await?;
        Ok(PasswordCheck::Match { outdated: false })
    }
}
