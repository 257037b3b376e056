//! A new session of an account, by a proof of its mailbox.

use super::{
    begin_session::{NotBegun, ProvedUser, Spends},
    session_starter::{Begun, SessionStarter},
};
use crate::{
    model::{AuthMethods, ClientInfo, Credentials, Label, Proof, ProofPurpose},
    policy::AccountPolicy,
    ports::{StoreError, UserRepository},
    proofs::signs_in,
    use_cases::{
        factors::SecondStep,
        parts::{
            Failure, MailboxProofs, ProofRefused, ServicePorts, ShownDevices, ShownProof, from_via,
        },
    },
};
use std::sync::Arc;

/// A proof in place of a password.
#[derive(Clone, Debug)]
pub struct SignInByCodeRequest {
    /// The proof. The devices that it shows are those of the sign-in.
    pub proof: ShownProof,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why there is no new session.
#[derive(Debug, thiserror::Error)]
pub enum SignInByCodeError {
    /// [`AccountPolicy::sign_in_code`] is off.
    #[error("no code signs in here")]
    Off,
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// Reuse was found on the device while this session was about to begin. The proof can still be used.
    #[error("the device was signed out during the sign-in; sign in again")]
    Superseded,
    /// What was shown is right, and the account needs a second step before a session begins.
    #[error("a second factor is needed")]
    FactorRequired(Box<SecondStep>),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(SignInByCodeError: StoreError => Failure);

impl From<NotBegun> for SignInByCodeError {
    fn from(not_begun: NotBegun) -> Self {
        match not_begun {
            NotBegun::Superseded => Self::Superseded,
            NotBegun::SecondStep(step) => Self::FactorRequired(step),
            NotBegun::ProofGone | NotBegun::CodeUsed => ProofRefused::Gone.into(),
            NotBegun::Failed(failure) => failure.into(),
        }
    }
}

/// Signs in by a code that was mailed.
pub struct SignInByCode {
    proofs: MailboxProofs,
    starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    policy: AccountPolicy,
}

impl SignInByCode {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            starter: SessionStarter::new(ports),
            users: ports.users.clone(),
            policy: ports.accounts,
        }
    }

    /// Checks the proof and begins a session, as a sign-in with the password does. The proof is spent in the commit of the session, or of
    /// the challenge of a second step.
    ///
    /// # Errors
    /// [`SignInByCodeError`]; then no session has begun, and nothing changed but the number of the proof's attempts.
    pub async fn execute(&self, request: SignInByCodeRequest) -> Result<Begun, SignInByCodeError> {
        if !self.policy.sign_in_code {
            return Err(SignInByCodeError::Off);
        }
        let purpose = ProofPurpose::SignIn;
        let checked = self.proofs.check(purpose, &request.proof, &request.client);
        let proof = checked.await??;
        let outcome = self.begin(&proof, &request).await;
        if matches!(
            outcome,
            Err(SignInByCodeError::Superseded | SignInByCodeError::Failed(_))
        ) {
            self.proofs.forgive(&request.proof).await;
        }
        outcome
    }

    async fn begin(
        &self,
        proof: &Proof,
        request: &SignInByCodeRequest,
    ) -> Result<Begun, SignInByCodeError> {
        let shown = self.starter.shown(&request.proof.asker.device_credentials);
        let account = self.account(proof, &shown).await?;
        let proved = ProvedUser {
            user: &account.user,
            known: account.known_device,
            shown: &shown,
            client: &request.client,
            device_name: request.device_name.clone(),
            by: AuthMethods::CODE,
            spends: Spends::Proof(proof.version()),
        };
        Ok(self.starter.begin(proved).await?)
    }

    /// The account as it is now, with the device that the client shows.
    async fn account(
        &self,
        proof: &Proof,
        shown: &ShownDevices,
    ) -> Result<Credentials, SignInByCodeError> {
        let found = self
            .users
            .credentials_by_email(&proof.address, shown.all())
            .await?;
        let account = found.filter(|account| signs_in(proof, account));
        Ok(account.ok_or(ProofRefused::Gone)?)
    }
}
