//! Mails that open the account of an address: asked for by whoever knows the address.

use super::{
    Denied, MailboxProofs, ProofRequest, RequestLimits, RequestedProof, ServicePorts, ShownAsker,
    ShownDevices, TakenBuckets,
};
use crate::{
    journal::{MailKind, SecurityEvent},
    model::{ClientInfo, Credentials, EmailAddress, Locale, ProofPurpose, User, UserId},
    ports::{DeviceCredentials, UserRepository},
};
use std::{net::IpAddr, sync::Arc};

/// What a mail lets its reader do.
#[derive(Clone, Copy)]
pub(crate) enum OpeningMail {
    /// Set a new password.
    Recovery,
    /// Sign in.
    SignIn,
}

impl OpeningMail {
    const fn purpose(self) -> ProofPurpose {
        match self {
            Self::Recovery => ProofPurpose::ResetPassword,
            Self::SignIn => ProofPurpose::SignIn,
        }
    }

    /// An account whose address was never verified may be a stranger's: its code would sign nobody in.
    fn kind(self, account: Option<&User>) -> MailKind {
        let is_unverified = account.is_some_and(|account| account.email_verified_at.is_none());
        match self {
            Self::Recovery => MailKind::ResetPassword,
            Self::SignIn if is_unverified => MailKind::SignInUnverified,
            Self::SignIn => MailKind::SignIn,
        }
    }

    const fn event(self, user: Option<UserId>, address: Option<IpAddr>) -> SecurityEvent {
        match self {
            Self::Recovery => SecurityEvent::RecoveryRequested { user, address },
            Self::SignIn => SecurityEvent::SignInRequested { user, address },
        }
    }
}

/// Asks for such mails. The answer and the work are the same for known, unknown and disabled accounts.
pub(crate) struct OpeningRequests {
    proofs: MailboxProofs,
    users: Arc<dyn UserRepository>,
    devices: Arc<dyn DeviceCredentials>,
    limits: RequestLimits,
}

impl OpeningRequests {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            users: ports.users.clone(),
            devices: ports.devices.clone(),
            limits: RequestLimits::new(ports),
        }
    }

    /// Stores a proof, and its mail if there is such an account that is not disabled. The mail goes to the address as the account has it. `locale` is
    /// for an account that has none.
    pub(crate) async fn ask(
        &self,
        mail: OpeningMail,
        email: EmailAddress,
        locale: Option<Locale>,
        asker: &ShownAsker,
        client: &ClientInfo,
    ) -> Result<RequestedProof, Denied> {
        let (taken, account) = self.admit(mail, &email, asker, client).await?;
        let user = account.as_ref().map(|account| &account.user);
        let spoken = user.and_then(|user| user.details.locale.clone());
        let request = ProofRequest {
            purpose: mail.purpose(),
            mail: mail.kind(user),
            address: user.map_or(email, |user| user.email.clone()),
            account: account.as_ref(),
            intent: None,
            locale: spoken.or(locale),
            asker,
            client,
            withheld: user.is_none_or(|user| user.disabled_at.is_some()),
            event: mail.event(user.map(|user| user.id), client.address),
        };
        let opened = self.proofs.open(request).await;
        if opened.is_err() {
            self.limits.give_back(taken).await;
        }
        opened.map_err(Denied::Failed)
    }

    /// Strangers are limited before a store is asked. The devices that the user has signed in on have a budget of their own, so that no
    /// stranger can use up the owner's. Those from before the last end of all sessions are strangers: a thief may have been on one.
    async fn admit(
        &self,
        mail: OpeningMail,
        email: &EmailAddress,
        asker: &ShownAsker,
        client: &ClientInfo,
    ) -> Result<(TakenBuckets, Option<Credentials>), Denied> {
        let shown = ShownDevices::verify(&*self.devices, &asker.device_credentials);
        if shown.all().is_empty() {
            let taken = self.limits.opening(mail, email, client, None).await?;
            let found = self.users.credentials_by_email(email, &[]).await;
            return match found {
                Ok(found) => Ok((taken, found)),
                Err(error) => {
                    self.limits.give_back(taken).await;
                    Err(Denied::Failed(error))
                }
            };
        }
        let found = self.users.credentials_by_email(email, shown.all()).await;
        let found = found.map_err(Denied::Failed)?;
        let known = found.as_ref().and_then(|found| {
            let device = found.known_device?;
            device.is_current.then_some(found.user.id)
        });
        let taken = self.limits.opening(mail, email, client, known).await?;
        Ok((taken, found))
    }
}
