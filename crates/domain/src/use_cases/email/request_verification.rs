//! A mail that lets its reader verify the address of an account.

use crate::{
    journal::{MailKind, SecurityEvent},
    model::{ClientInfo, Credentials, Locale, ProofPurpose},
    policy::AccountPolicy,
    ports::{StoreError, UserRepository},
    use_cases::{
        parts::{
            Denied, Failure, MailboxProofs, ProofRequest, Refusal, Refused, RequestLimits,
            RequestedProof, ServicePorts, ShownAsker, from_via,
        },
        sessions::{Authenticate, Caller},
    },
};
use std::sync::Arc;

/// Why nothing was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestVerificationError {
    /// The service sends no mail.
    #[error("no mail is configured")]
    MailNotConfigured,
    /// The address is verified already.
    #[error("the address is verified already")]
    AlreadyVerified,
    /// The ID token was refused, a limit was reached, or a dependency failed.
    #[error(transparent)]
    Refused(#[from] Refused),
}

from_via!(
    RequestVerificationError:
    StoreError => Refused,
    Failure => Refused,
    Refusal => Refused,
    Denied => Refused,
);

/// Asks for a verification.
pub struct RequestVerification {
    authenticate: Authenticate,
    verification: Verification,
    users: Arc<dyn UserRepository>,
    limits: RequestLimits,
    policy: AccountPolicy,
}

/// Opens proofs that verify an address.
pub(in crate::use_cases) struct Verification(MailboxProofs);

impl Verification {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self(MailboxProofs::new(ports))
    }

    pub(in crate::use_cases) async fn open(
        &self,
        account: &Credentials,
        locale: Option<Locale>,
        asker: &ShownAsker,
        client: &ClientInfo,
    ) -> Result<RequestedProof, StoreError> {
        let request = ProofRequest {
            purpose: ProofPurpose::VerifyEmail,
            mail: MailKind::VerifyEmail,
            address: account.user.email.clone(),
            account: Some(account),
            intent: None,
            locale: account.user.details.locale.clone().or(locale),
            asker,
            client,
            withheld: false,
            event: SecurityEvent::VerificationRequested {
                user: account.user.id,
                address: client.address,
            },
        };
        self.0.open(request).await
    }
}

impl RequestVerification {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            verification: Verification::new(ports),
            users: ports.users.clone(),
            limits: RequestLimits::new(ports),
            policy: ports.accounts,
        }
    }

    /// Stores a proof and its mail.
    ///
    /// # Errors
    /// [`RequestVerificationError`]; then no mail is sent, unless the commit itself was cut off.
    pub async fn execute(
        &self,
        caller: &Caller,
        asker: &ShownAsker,
        locale: Option<Locale>,
    ) -> Result<RequestedProof, RequestVerificationError> {
        let authenticated = self.authenticate.on_device(caller).await?;
        if !self.policy.mail {
            return Err(RequestVerificationError::MailNotConfigured);
        }
        let account = self.users.credentials(authenticated.user.id).await?;
        let account = account.ok_or(Refusal::SessionRevoked)?;
        if account.user.email_verified_at.is_some() {
            return Err(RequestVerificationError::AlreadyVerified);
        }
        let client = &caller.client;
        let taken = self.limits.proof(&account.user.email, client).await?;
        let opened = self
            .verification
            .open(&account, locale, asker, client)
            .await;
        if opened.is_err() {
            self.limits.give_back(taken).await;
        }
        Ok(opened?)
    }
}
