//! A new password by a proof of the mailbox.

use crate::{
    journal::{Actor, MailKind, SecurityEvent, Told},
    model::{
        AccountFactors, AuthMethods, ClientInfo, Credentials, EndReason, FieldError, Label,
        Password, PasswordHash, Proof, ProofPurpose, Session, Timestamp, User,
    },
    policy::{AccountPolicy, RequireFactor},
    ports::{
        Clearing, Clock, Factors, PasswordHasher, PasswordStrength, Recovery, RecoveryOutcome,
        RecoveryStep, SignError, StoreError, UserRepository,
    },
    proofs::{Recovered, recovered},
    use_cases::{
        accounts::{Begun, NewSession, PasswordContext, PreparedSession, SessionStarter},
        factors::{FirstStep, PreparedStep, SecondStep},
        parts::{
            Failure, MailboxProofs, ProofRefused, RequestLimits, ServicePorts, ShownProof, from_via,
        },
    },
};
use secrecy::SecretString;
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
    /// The password is set, and all sessions have ended; a second step begins the session.
    #[error("a second factor is needed")]
    FactorRequired(Box<SecondStep>),
    /// The account has got a factor at the same time. The proof can still be used.
    #[error("the account was changed at the same time; look again and retry")]
    Superseded,
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(RecoverError: StoreError => Failure, SignError => Failure);

/// All that is decided before anything is written.
struct PreparedRecovery {
    /// The account as it will be.
    user: User,
    takes_address_back: bool,
    /// Factors go with it.
    loses_factors: bool,
    hash: PasswordHash,
    client: ClientInfo,
    then: Next,
    at: Timestamp,
}

/// What comes of a recovery.
enum Next {
    Session {
        session: PreparedSession,
        /// The credentials of the devices that the client shows.
        others: Vec<SecretString>,
    },
    SecondStep(PreparedStep),
}

impl Next {
    /// The session that begins.
    fn session(&self) -> Option<&Session> {
        match self {
            Self::Session { session, .. } => Some(&session.session),
            Self::SecondStep(_) => None,
        }
    }
}

/// Recovers accounts. The white list is written first and the rows last, as for a sign-in.
pub struct Recover {
    proofs: MailboxProofs,
    starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    factors: Arc<dyn Factors>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
    rules: AccountPolicy,
}

impl Recover {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            starter: SessionStarter::new(ports),
            users: ports.users.clone(),
            factors: ports.factors.store.clone(),
            hasher: ports.hasher.clone(),
            strength: ports.strength.clone(),
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
            rules: ports.accounts,
        }
    }

    /// Sets the password, ends all sessions and begins one on this client, with a device of its own, or the second step of a sign-in. The limits of password checks do not count
    /// here: nobody can keep the owner out by wrong passwords.
    ///
    /// # Errors
    /// [`RecoverError`]; then nothing changed but the number of the proof's attempts, except for [`RecoverError::FactorRequired`].
    pub async fn execute(
        &self,
        purpose: ProofPurpose,
        request: RecoverRequest,
    ) -> Result<Begun, RecoverError> {
        let checked = self.proofs.check(purpose, &request.proof, &request.client);
        let proof = checked.await??;
        let shown = request.proof.clone();
        let outcome = self.begin(&proof, request).await;
        self.settle(&shown, outcome).await
    }

    async fn settle(
        &self,
        shown: &ShownProof,
        outcome: Result<Begun, RecoverError>,
    ) -> Result<Begun, RecoverError> {
        if matches!(
            outcome,
            Err(RecoverError::WeakPassword(_)
                | RecoverError::EmailTaken
                | RecoverError::Superseded
                | RecoverError::Failed(_))
        ) {
            self.proofs.forgive(shown).await;
        }
        outcome
    }

    async fn begin(&self, proof: &Proof, request: RecoverRequest) -> Result<Begun, RecoverError> {
        let prepared = self.prepare(proof, request).await?;
        let tokens = match &prepared.then {
            Next::Session { session, .. } => {
                Some(self.starter.white_list(&prepared.user, session).await?)
            }
            Next::SecondStep(_) => None,
        };
        self.commit(proof, &prepared).await?;
        match (prepared.then, tokens) {
            (Next::Session { session, others }, Some((tokens, _))) => {
                Ok(session.begun(tokens, Vec::new(), others))
            }
            (Next::SecondStep(second), _) => {
                Err(RecoverError::FactorRequired(Box::new(second.step)))
            }
            (Next::Session { .. }, None) => Err(RecoverError::Superseded),
        }
    }

    /// Judges and hashes the password. Nothing is written.
    async fn prepare(
        &self,
        proof: &Proof,
        request: RecoverRequest,
    ) -> Result<PreparedRecovery, RecoverError> {
        let account = self.account(proof).await?;
        let at = self.clock.now();
        let factors = self.factors.of(account.user.id).await?;
        let recovered = recovered(proof, &account, factors.clone(), at);
        let Recovered {
            user,
            factors: left,
        } = recovered.ok_or(ProofRefused::Gone)?;
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
        let takes_address_back = user.email.as_str() != account.user.email.as_str();
        let client = request.client.clone();
        Ok(PreparedRecovery {
            takes_address_back,
            loses_factors: factors.set_up().any() && left != factors,
            then: self.next(&user, &left, request)?,
            user,
            hash,
            client,
            at,
        })
    }

    /// The session, on a device of its own; for an account to which a factor is left the second step. What a mailbox proves does not stand in for it.
    fn next(
        &self,
        user: &User,
        factors: &AccountFactors,
        request: RecoverRequest,
    ) -> Result<Next, RecoverError> {
        let RecoverRequest {
            proof: shown,
            device_name,
            client,
            ..
        } = request;
        let starter = &self.starter;
        let shown = starter.shown(&shown.asker.device_credentials);
        let by = AuthMethods::CODE;
        if starter.second_steps.is_needed(user, by) {
            let first = FirstStep {
                user,
                known: None,
                shown: &shown,
                client: &client,
                device_name,
                by,
            };
            let prepared = starter.second_steps.prepare(first, factors)?;
            return Ok(Next::SecondStep(prepared.ok_or(RecoverError::Superseded)?));
        }
        let session = starter.prepare(NewSession {
            user: user.id,
            epoch: user.epoch,
            client: &client,
            device_name,
            kept: None,
            made: None,
            authenticated_by: by,
        });
        let others = starter.credentials(shown.all().iter().copied());
        Ok(Next::Session { session, others })
    }

    async fn account(&self, proof: &Proof) -> Result<Credentials, RecoverError> {
        let user = proof.user.ok_or(ProofRefused::Gone)?;
        let account = self.users.credentials(user).await?;
        Ok(account.ok_or(ProofRefused::Gone)?)
    }

    async fn commit(&self, proof: &Proof, prepared: &PreparedRecovery) -> Result<(), RecoverError> {
        let recovery = Recovery {
            proof: proof.version(),
            hash: prepared.hash.clone(),
            then: match &prepared.then {
                Next::Session { session, .. } => RecoveryStep::Session {
                    session: session.session.clone(),
                    unless_factor: self.rules.require_factor != RequireFactor::Never,
                },
                Next::SecondStep(second) => RecoveryStep::Challenge(second.challenge.clone()),
            },
            at: prepared.at,
        };
        let recorder = &self.proofs.recorder;
        let told = self.told(proof, prepared);
        let actor = Actor::User(prepared.user.id);
        let tell = recorder.tell(
            prepared.at,
            actor,
            move |outcome: &RecoveryOutcome| match outcome {
                RecoveryOutcome::Recovered(_) => told.clone(),
                RecoveryOutcome::Gone
                | RecoveryOutcome::EmailTaken
                | RecoveryOutcome::FactorRequired => Told::default(),
            },
        );
        let outcome = self.proofs.proofs.recover(&recovery, &tell).await;
        if let Next::Session { session, .. } = &prepared.then {
            let has_begun = |outcome: &_| matches!(outcome, RecoveryOutcome::Recovered(_));
            self.starter
                .withdraw_unless(session, &outcome, has_begun)
                .await;
        }
        let outcome = outcome?;
        recorder.record(&tell, &outcome);
        match outcome {
            RecoveryOutcome::Recovered(_) => {
                let older = Clearing::Older {
                    user: prepared.user.id,
                    epoch: prepared.user.epoch,
                    kept: None,
                };
                self.starter.clear.execute(older).await;
                Ok(())
            }
            RecoveryOutcome::Gone => Err(ProofRefused::Gone.into()),
            RecoveryOutcome::EmailTaken => Err(RecoverError::EmailTaken),
            RecoveryOutcome::FactorRequired => Err(RecoverError::Superseded),
        }
    }

    /// What a recovery tells: the address that came back, the recovery, that factors went, the end of all sessions, and what begins.
    fn told(&self, proof: &Proof, prepared: &PreparedRecovery) -> Told {
        let PreparedRecovery {
            user, client, at, ..
        } = prepared;
        let (id, address) = (user.id, client.address);
        let session = prepared.then.session();
        let moved = prepared
            .takes_address_back
            .then_some(SecurityEvent::EmailChanged {
                user: id,
                session: None,
                address,
            });
        let recovered = SecurityEvent::AccountRecovered {
            user: id,
            session: session.map(|session| session.id),
            address,
        };
        let reset = prepared
            .loses_factors
            .then_some(SecurityEvent::FactorsReset {
                user: id,
                note: None,
            });
        let ended = SecurityEvent::SessionsEnded {
            user: id,
            kept: None,
            reason: EndReason::Recovered,
        };
        let next = match session {
            Some(session) => SecurityEvent::SessionBegun {
                user: id,
                session: session.id,
                address,
                device: session.device_label().cloned(),
            },
            None => SecurityEvent::FactorRequested { user: id, address },
        };
        // Who has just chosen the first password need not be told of it.
        let is_told = proof.purpose != ProofPurpose::Invitation;
        let notice = self
            .proofs
            .recorder
            .notice(MailKind::PasswordReset, user, client, *at);
        Told {
            events: moved
                .into_iter()
                .chain([recovered])
                .chain(reset)
                .chain([ended, next])
                .collect(),
            mails: notice.into_iter().filter(|_| is_told).collect(),
        }
    }
}
