//! An account that an operator adds, without a session.

use super::password_context::PasswordContext;
use crate::{
    journal::{Actor, MailKind, NewMail, SecurityEvent, Told},
    model::{
        AccountVersion, AppData, ClientInfo, Credentials, DeliveryId, Details, EmailAddress, Epoch,
        FieldError, Password, PasswordHash, Proof, ProofId, ProofPurpose, Roles, SetUpFactors,
        Timestamp, User, UserId,
    },
    ports::{
        AddOutcome, Clock, Entropy, HashFlow, Invitation, PasswordHasher, PasswordStrength, Proofs,
        StoreError, UserRepository,
    },
    use_cases::parts::{Failure, OperatorPorts, Recorder, facts, from_via},
};
use secrecy::SecretString;
use std::sync::Arc;

/// How the owner of a new account gets in.
#[derive(Clone, Debug)]
pub enum FirstAccess {
    /// With this password.
    Password(Password),
    /// By a mail that lets its reader choose one.
    Invitation,
}

/// An account to add.
#[derive(Clone, Debug)]
pub struct AddAccountRequest {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// How its owner gets in.
    pub access: FirstAccess,
    /// The user's name and links.
    pub details: Details,
    /// Whether its owner is known to read the address.
    pub email_verified: bool,
    /// Its roles.
    pub roles: Roles,
    /// What applications keep with it.
    pub app: AppData,
    /// Its id; `None` for a new one.
    pub id: Option<UserId>,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum AddAccountError {
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// Another account has that id.
    #[error("an account with this id exists already")]
    IdTaken,
    /// The password is easy to guess.
    #[error("the password {0}")]
    WeakPassword(FieldError),
    /// The service sends no mail, so that nobody can be invited.
    #[error("no mail is configured")]
    MailNotConfigured,
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(AddAccountError: StoreError => Failure);

/// Adds accounts by the rules of a sign-up. No session begins.
pub struct AddAccount {
    users: Arc<dyn UserRepository>,
    proofs: Arc<dyn Proofs>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    recorder: Recorder,
    sends_mail: bool,
}

impl AddAccount {
    pub(crate) fn new(
        ports: &OperatorPorts,
        proofs: Arc<dyn Proofs>,
        hasher: Arc<dyn PasswordHasher>,
        strength: Arc<dyn PasswordStrength>,
    ) -> Self {
        Self {
            users: ports.users.clone(),
            proofs,
            hasher,
            strength,
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), ports.mail),
            sends_mail: ports.mail.is_some(),
        }
    }

    /// Adds the account.
    ///
    /// # Errors
    /// [`AddAccountError`]; then there is no account, unless the commit itself was cut off (a retry then says `EmailTaken`).
    pub async fn execute(
        &self,
        request: AddAccountRequest,
        actor: Actor,
    ) -> Result<User, AddAccountError> {
        let flow = HashFlow {
            account: request.email.clone(),
            address: None,
            known: true,
        };
        let password = self.password(&request, &flow).await?;
        // Before the hash, so that a taken address is reported without delay.
        let found = self.users.credentials_by_email(&request.email, &[]).await?;
        if found.is_some() {
            return Err(AddAccountError::EmailTaken);
        }
        let hash = self.hasher.hash(&flow, &password).await?;
        let now = self.clock.now();
        let is_invited = matches!(request.access, FirstAccess::Invitation);
        let user = self.user(request, now);
        let created = SecurityEvent::AccountCreated {
            user: user.id,
            session: None,
            address: None,
            device: None,
        };
        let outcome = if is_invited {
            self.invite(&user, hash, created, actor).await?
        } else {
            let tell = self.recorder.tell(now, actor, added(created));
            let outcome = self.users.add(&user, &hash, &tell).await?;
            self.recorder.record(&tell, &outcome);
            outcome
        };
        match outcome {
            AddOutcome::Added => Ok(user),
            AddOutcome::EmailTaken => Err(AddAccountError::EmailTaken),
            AddOutcome::IdTaken => Err(AddAccountError::IdTaken),
        }
    }

    /// The first password, if it is accepted. Of one who is invited it is one that nobody knows.
    async fn password(
        &self,
        request: &AddAccountRequest,
        flow: &HashFlow,
    ) -> Result<Password, AddAccountError> {
        let FirstAccess::Password(password) = &request.access else {
            if !self.sends_mail {
                return Err(AddAccountError::MailNotConfigured);
            }
            let half = || u128::from_be_bytes(self.entropy.bytes());
            let unknown = SecretString::from(format!("{:032x}{:032x}", half(), half()));
            return Password::present(&unknown).map_err(AddAccountError::WeakPassword);
        };
        let context = PasswordContext {
            email: &request.email,
            name: request.details.name.as_ref(),
            device: None,
        };
        let judged = context.weakness(flow, password, &*self.strength);
        match judged.await? {
            Some(weakness) => Err(AddAccountError::WeakPassword(weakness)),
            None => Ok(password.clone()),
        }
    }

    fn user(&self, request: AddAccountRequest, now: Timestamp) -> User {
        User {
            factors: SetUpFactors::default(),
            id: request
                .id
                .unwrap_or_else(|| UserId::from_random(self.entropy.bytes())),
            email: request.email,
            email_verified_at: request.email_verified.then_some(now),
            details: request.details,
            created_at: now,
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
            roles: request.roles,
            app: request.app,
            version: AccountVersion::at(now),
        }
    }

    async fn invite(
        &self,
        user: &User,
        hash: PasswordHash,
        created: SecurityEvent,
        actor: Actor,
    ) -> Result<AddOutcome, StoreError> {
        let now = user.created_at;
        let account = Credentials {
            user: user.clone(),
            hash: hash.clone(),
            known_device: None,
        };
        let id = ProofId::from_random(self.entropy.bytes());
        let proof = Proof::by_operator(id, ProofPurpose::Invitation, &account, now);
        let mail = NewMail {
            id: DeliveryId::from_random(self.entropy.bytes()),
            kind: MailKind::Invitation,
            to: user.email.clone(),
            locale: user.details.locale.clone(),
            user: Some(user.id),
            proof: Some(id),
            facts: facts(&ClientInfo::default(), now),
            expires_at: proof.expires_at,
        };
        let events = vec![created, SecurityEvent::AccountInvited { user: user.id }];
        let told = move |outcome: &AddOutcome| match outcome {
            AddOutcome::Added => Told {
                events: events.clone(),
                mails: vec![mail.clone()],
            },
            AddOutcome::EmailTaken | AddOutcome::IdTaken => Told::default(),
        };
        let tell = self.recorder.tell(now, actor, told);
        let invitation = Invitation {
            user: account.user,
            hash,
            proof,
        };
        let outcome = self.proofs.invite(&invitation, &tell).await?;
        self.recorder.record(&tell, &outcome);
        Ok(outcome)
    }
}

/// What a new account tells, if it was added.
pub(super) fn added(
    event: SecurityEvent,
) -> impl Fn(&AddOutcome) -> Vec<SecurityEvent> + Send + Sync {
    move |outcome| match outcome {
        AddOutcome::Added => vec![event.clone()],
        AddOutcome::EmailTaken | AddOutcome::IdTaken => Vec::new(),
    }
}
