//! The check of the current password that sensitive changes require.

use crate::{
    model::{ClientInfo, Credentials, HashKind, Password, UserId},
    ports::{HashFlow, PasswordCheck, PasswordHasher, UserRepository},
    use_cases::{
        parts::{
            AccountPasswords, KnownClient, PasswordAttempt, Refusal, Refused, RequestLimits,
            ServicePorts, TakenBuckets,
        },
        sessions::Authenticated,
    },
};
use std::sync::Arc;

/// Checks the caller's password. Only one that is found wrong counts against the limits.
pub(super) struct CurrentPassword {
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    passwords: AccountPasswords,
    limits: RequestLimits,
}

/// Room for one check.
#[must_use]
pub(super) struct AdmittedCheck {
    /// For whom passwords are hashed.
    pub(super) flow: HashFlow,
    taken: TakenBuckets,
}

impl CurrentPassword {
    pub(super) fn new(ports: &ServicePorts) -> Self {
        Self {
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            passwords: AccountPasswords::new(ports),
            limits: RequestLimits::new(ports),
        }
    }

    /// Makes room for one check.
    pub(super) async fn admit(
        &self,
        caller: &Authenticated,
        client: &ClientInfo,
    ) -> Result<AdmittedCheck, Refused> {
        let flow = self.limits.flow(&caller.user.email, client, true);
        self.hasher.admit(&flow)?;
        let attempt = PasswordAttempt {
            email: &caller.user.email,
            client,
            known: Some(KnownClient::Session(caller.user.id, caller.session.id)),
        };
        let taken = self.limits.password(attempt).await?;
        Ok(AdmittedCheck { flow, taken })
    }

    /// What [`Self::admit`] took does not count after all.
    pub(super) async fn give_back(&self, held: AdmittedCheck) {
        self.limits.give_back(held.taken).await;
    }

    /// Whether the account has a password.
    pub(super) async fn exists(&self, user: UserId) -> Result<bool, Refused> {
        let credentials = self.users.credentials(user).await?;
        let kind = credentials.map(|found| found.hash.kind());
        Ok(kind.is_some_and(|kind| kind != HashKind::NoPassword))
    }

    /// The account's credentials, or `None` if the password is wrong.
    pub(super) async fn check(
        &self,
        held: AdmittedCheck,
        user: UserId,
        password: &Password,
    ) -> Result<Option<Credentials>, Refused> {
        let checked = self.compare(&held.flow, user, password).await;
        if !matches!(checked, Ok(None)) {
            self.give_back(held).await;
        }
        checked
    }

    async fn compare(
        &self,
        flow: &HashFlow,
        user: UserId,
        password: &Password,
    ) -> Result<Option<Credentials>, Refused> {
        let credentials = self
            .users
            .credentials(user)
            .await?
            .ok_or(Refusal::SessionRevoked)?;
        let check = self
            .passwords
            .check(flow, password, Some(&credentials))
            .await?;
        Ok(matches!(check, PasswordCheck::Match { .. }).then_some(credentials))
    }
}
