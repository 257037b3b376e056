//! A new password by a proof of the mailbox.

use crate::{
    journal::{Actor, MailKind, SecurityEvent, Told},
    model::{
        ClientInfo, Credentials, EndReason, FieldError, Label, Password, Proof, ProofPurpose, User,
    },
    ports::{
        Clearing, Clock, PasswordHasher, PasswordStrength, Recovery, RecoveryOutcome, SignError,
        StoreError, UserRepository,
    },
    proofs::recovered,
    use_cases::{
        accounts::{Begun, PasswordContext, PreparedSession, SessionStarter},
        parts::{
            Failure, MailboxProofs, ProofRefused, RequestLimits, ServicePorts, ShownProof, from_via,
        },
    },
};
use std::sync::Arc;

/// A new password, and the proof that lets the client set it.
#[derive(Clone, Debug)]
pub struct RecoverRequest {
    /// The proof.
    pub proof: ShownProof,
    /// The new password.
    pub password: Password,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why the password was not set.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// The password is easy to guess.
    #[error("the password {0}")]
    WeakPassword(FieldError),
    /// Another account has the address that was to be restored.
    #[error("another account has this e-mail address by now")]
    EmailTaken,
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(RecoverError: StoreError => Failure, SignError => Failure);

/// Recovers accounts. The white list is written first and the rows last, as for a sign-in.
pub struct Recover {
    proofs: MailboxProofs,
    starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
}

impl Recover {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            starter: SessionStarter::new(ports),
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            strength: ports.strength.clone(),
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
        }
    }

    /// Sets the password, ends all sessions and begins one on this client, with a device of its own. The limits of password checks do not count
    /// here: nobody can keep the owner out by wrong passwords.
    ///
    /// # Errors
    /// [`RecoverError`]; then nothing changed but the number of the proof's attempts.
    pub async fn execute(
        &self,
        purpose: ProofPurpose,
        request: RecoverRequest,
    ) -> Result<Begun, RecoverError> {
        let checked = self.proofs.check(purpose, &request.proof, &request.client);
        let proof = checked.await??;
        let shown = request.proof.clone();
        let outcome = self.recover(&proof, request).await;
        if matches!(
            outcome,
            Err(RecoverError::WeakPassword(_) | RecoverError::EmailTaken | RecoverError::Failed(_))
        ) {
            self.proofs.forgive(&shown).await;
        }
        outcome
    }

    async fn recover(&self, proof: &Proof, request: RecoverRequest) -> Result<Begun, RecoverError> {
        let account = self.account(proof).await?;
        let now = self.clock.now();
        let user = recovered(proof, &account, now).ok_or(ProofRefused::Gone)?;
        let context = PasswordContext {
            email: &user.email,
            name: user.details.name.as_ref(),
            device: request.device_name.as_ref(),
        };
        let flow = self.limits.flow(&user.email, &request.client, true);
        let weakness = context.weakness(&flow, &request.password, &*self.strength);
        let weakness = weakness.await?;
        if let Some(weakness) = weakness {
            return Err(RecoverError::WeakPassword(weakness));
        }
        let hash = self.hasher.hash(&flow, &request.password).await?;
        let RecoverRequest {
            proof: shown,
            device_name,
            client,
            ..
        } = request;
        let starter = &self.starter;
        let prepared = starter.prepare_on(user.id, user.epoch, &client, device_name, None);
        let shown = starter.shown(&shown.asker.device_credentials);
        let (tokens, _) = self.starter.white_list(&user, &prepared).await?;
        let recovery = Recovery {
            proof: proof.version(),
            hash,
            session: prepared.session.clone(),
            at: now,
        };
        self.commit(&recovery, &user, &client, &prepared).await?;
        let others = self.starter.credentials(shown.all().iter().copied());
        Ok(prepared.begun(tokens, Vec::new(), others))
    }

    async fn account(&self, proof: &Proof) -> Result<Credentials, RecoverError> {
        let user = proof.user.ok_or(ProofRefused::Gone)?;
        let account = self.users.credentials(user).await?;
        Ok(account.ok_or(ProofRefused::Gone)?)
    }

    async fn commit(
        &self,
        recovery: &Recovery,
        user: &User,
        client: &ClientInfo,
        prepared: &PreparedSession,
    ) -> Result<(), RecoverError> {
        let notice =
            self.proofs
                .recorder
                .notice(MailKind::PasswordReset, user, client, recovery.at);
        let (user_id, session, address) = (user.id, recovery.session.id, client.address);
        let device = recovery.session.device_label().cloned();
        let told = move |outcome: &RecoveryOutcome| match outcome {
            RecoveryOutcome::Recovered(_) => Told {
                events: vec![
                    SecurityEvent::AccountRecovered {
                        user: user_id,
                        session,
                        address,
                    },
                    SecurityEvent::SessionsEnded {
                        user: user_id,
                        kept: None,
                        reason: EndReason::Recovered,
                    },
                    SecurityEvent::SessionBegun {
                        user: user_id,
                        session,
                        address,
                        device: device.clone(),
                    },
                ],
                mails: notice.clone().into_iter().collect(),
            },
            RecoveryOutcome::Gone | RecoveryOutcome::EmailTaken => Told::default(),
        };
        let tell = self
            .proofs
            .recorder
            .tell(recovery.at, Actor::User(user.id), told);
        let outcome = self.proofs.proofs.recover(recovery, &tell).await;
        if !matches!(outcome, Ok(RecoveryOutcome::Recovered(_))) {
            self.starter.withdraw(prepared).await;
        }
        if outcome.is_err() {
            // The commit may have come through: a session that no client holds must not take a place.
            self.starter.clear.defer(Clearing::Row {
                user: user.id,
                session,
                reason: EndReason::Expired,
                cause: None,
                notice: None,
            });
        }
        let outcome = outcome?;
        self.proofs.recorder.record(&tell, &outcome);
        match outcome {
            RecoveryOutcome::Recovered(_) => {
                let older = Clearing::Older {
                    user: user.id,
                    epoch: user.epoch,
                    kept: None,
                };
                self.starter.clear.execute(older).await;
                Ok(())
            }
            RecoveryOutcome::Gone => Err(ProofRefused::Gone.into()),
            RecoveryOutcome::EmailTaken => Err(RecoverError::EmailTaken),
        }
    }
}
