//! The check of the current password that sensitive changes require.

use crate::{
    model::{ClientInfo, Credentials, Password, UserId},
    ports::{PasswordCheck, PasswordHasher, UserRepository},
    use_cases::{
        parts::{
            KnownClient, PasswordAttempt, Refusal, Refused, RequestLimits, ServicePorts,
            TakenBuckets,
        },
        sessions::Authenticated,
    },
};
use std::sync::Arc;

/// Checks the caller's password. Only one that is found wrong counts against the limits.
pub(super) struct CurrentPassword {
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    limits: RequestLimits,
}

impl CurrentPassword {
    pub(super) fn new(ports: &ServicePorts) -> Self {
        Self {
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            limits: RequestLimits::new(ports),
        }
    }

    /// Makes room for one check.
    pub(super) async fn admit(
        &self,
        caller: &Authenticated,
        client: &ClientInfo,
    ) -> Result<TakenBuckets, Refused> {
        self.hasher.admit()?;
        let attempt = PasswordAttempt {
            email: &caller.user.email,
            client,
            known: Some(KnownClient::Session(caller.user.id, caller.session.id)),
        };
        Ok(self.limits.password(attempt).await?)
    }

    /// What [`Self::admit`] took does not count after all.
    pub(super) async fn give_back(&self, held: TakenBuckets) {
        self.limits.give_back(held).await;
    }

    /// The account's credentials, or `None` if the password is wrong.
    pub(super) async fn check(
        &self,
        held: TakenBuckets,
        user: UserId,
        password: &Password,
    ) -> Result<Option<Credentials>, Refused> {
        let checked = self.compare(user, password).await;
        if !matches!(checked, Ok(None)) {
            self.limits.give_back(held).await;
        }
        checked
    }

    async fn compare(
        &self,
        user: UserId,
        password: &Password,
    ) -> Result<Option<Credentials>, Refused> {
        let credentials = self
            .users
            .credentials(user)
            .await?
            .ok_or(Refusal::SessionRevoked)?;
        let check = self.hasher.check(password, Some(&credentials.hash)).await?;
        Ok(matches!(check, PasswordCheck::Match { .. }).then_some(credentials))
    }
}
