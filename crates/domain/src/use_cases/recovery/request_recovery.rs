//! A mail that lets its reader set a new password.

use crate::{
    journal::{MailKind, SecurityEvent},
    model::{ClientInfo, Credentials, EmailAddress, Locale, ProofPurpose},
    policy::AccountPolicy,
    ports::{DeviceCredentials, StoreError, UserRepository},
    use_cases::parts::{
        Failure, Limited, MailboxProofs, ProofRequest, RequestLimits, RequestedProof, ServicePorts,
        ShownAsker, ShownDevices, TakenBuckets, from_denied, from_via,
    },
};
use std::sync::Arc;

/// Who has forgotten the password.
#[derive(Clone, Debug)]
pub struct RecoveryRequest {
    /// The address of the account.
    pub email: EmailAddress,
    /// The language of the client, for an account that has none.
    pub locale: Option<Locale>,
    /// What the client shows of itself.
    pub asker: ShownAsker,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why nothing was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestRecoveryError {
    /// The service sends no mail.
    #[error("no mail is configured")]
    MailNotConfigured,
    /// There were too many requests; this one was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(RequestRecoveryError);
from_via!(RequestRecoveryError: StoreError => Failure);

/// Asks for a recovery. The answer and the work are the same for known, unknown and disabled accounts.
pub struct RequestRecovery {
    proofs: MailboxProofs,
    users: Arc<dyn UserRepository>,
    devices: Arc<dyn DeviceCredentials>,
    limits: RequestLimits,
    policy: AccountPolicy,
}

impl RequestRecovery {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            users: ports.users.clone(),
            devices: ports.devices.clone(),
            limits: RequestLimits::new(ports),
            policy: ports.accounts,
        }
    }

    /// Stores a proof, and its mail if there is such an account that is not disabled. The mail goes to the address as the account has it.
    ///
    /// # Errors
    /// [`RequestRecoveryError`]; then no mail is sent, unless the commit itself was cut off.
    pub async fn execute(
        &self,
        request: RecoveryRequest,
    ) -> Result<RequestedProof, RequestRecoveryError> {
        if !self.policy.mail {
            return Err(RequestRecoveryError::MailNotConfigured);
        }
        let (taken, account) = self.admit(&request).await?;
        let address = account.as_ref().map(|account| account.user.email.clone());
        let spoken = account
            .as_ref()
            .and_then(|account| account.user.details.locale.clone());
        let opened = self
            .proofs
            .open(ProofRequest {
                purpose: ProofPurpose::ResetPassword,
                mail: MailKind::ResetPassword,
                address: address.unwrap_or(request.email),
                account: account.as_ref(),
                intent: None,
                locale: spoken.or(request.locale),
                asker: &request.asker,
                client: &request.client,
                withheld: account
                    .as_ref()
                    .is_none_or(|account| account.user.disabled_at.is_some()),
                event: SecurityEvent::RecoveryRequested {
                    user: account.as_ref().map(|account| account.user.id),
                    address: request.client.address,
                },
            })
            .await;
        if opened.is_err() {
            self.limits.give_back(taken).await;
        }
        Ok(opened?)
    }

    /// Strangers are limited before a store is asked. The devices that the user has signed in on have a budget of their own, so that no
    /// stranger can use up the owner's. Those from before the last end of all sessions are strangers: a thief may have been on one.
    async fn admit(
        &self,
        request: &RecoveryRequest,
    ) -> Result<(TakenBuckets, Option<Credentials>), RequestRecoveryError> {
        let (email, client) = (&request.email, &request.client);
        let shown = ShownDevices::verify(&*self.devices, &request.asker.device_credentials);
        if shown.all().is_empty() {
            let taken = self.limits.recovery(email, client, None).await?;
            let found = self.users.credentials_by_email(email, &[]).await;
            return match found {
                Ok(found) => Ok((taken, found)),
                Err(error) => {
                    self.limits.give_back(taken).await;
                    Err(error.into())
                }
            };
        }
        let found = self.users.credentials_by_email(email, shown.all()).await?;
        let known = found.as_ref().and_then(|found| {
            let device = found.known_device?;
            device.is_current.then_some(found.user.id)
        });
        let taken = self.limits.recovery(email, client, known).await?;
        Ok((taken, found))
    }
}
