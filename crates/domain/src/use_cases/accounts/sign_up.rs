//! A new account with its first session.

use super::{
    password_context::PasswordContext,
    session_starter::{Begun, NewSession, PreparedSession, SessionStarter, SignInRequest},
};
use crate::{
    journal::{Actor, MailKind, SecurityEvent, Tell},
    model::{
        AccountVersion, AppData, AuthMethods, Credentials, Details, EmailAddress, Epoch,
        FieldError, PasswordHash, ProofPurpose, Roles, SetUpFactors, SignUpIntent, User, UserId,
    },
    policy::{self, AccountPolicy},
    ports::{
        CreateOutcome, Entropy, HashFlow, PasswordHasher, PasswordStrength, SignError, StoreError,
        UserRepository,
    },
    use_cases::{
        email::Verification,
        parts::{
            Failure, Limited, MailboxProofs, ProofRequest, Recorder, RequestLimits, RequestedProof,
            ServicePorts, ShownAsker, from_denied, from_via,
        },
    },
};
use std::sync::Arc;

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// Another account has that address, or can take it back.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The password is easy to guess.
    #[error("the password {0}")]
    WeakPassword(FieldError),
    /// The challenge of the passkey is spent, expired or unknown. Begin its registration again.
    #[error("the challenge is spent, expired or unknown; begin again")]
    ChallengeGone,
    /// The passkey does not count; nothing says why.
    #[error("the passkey was refused")]
    CredentialRefused,
    /// There were too many attempts; the request was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(SignUpError);
from_via!(SignUpError: StoreError => Failure, SignError => Failure);

/// How a sign-up went on.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request, and mostly the largest"
)]
pub enum SignedUp {
    /// The account is there, and a session has begun. The proof, if any, verifies its address.
    Begun(Begun, Option<RequestedProof>),
    /// There is no account before its mailbox is proved.
    Asked(RequestedProof),
}

impl SignedUp {
    /// The session, if one has begun.
    pub fn begun(self) -> Option<Begun> {
        match self {
            Self::Begun(begun, _) => Some(begun),
            Self::Asked(_) => None,
        }
    }
}

/// Signs up. The white list is written first and the rows last: their commit is what makes the account exist.
pub struct SignUp {
    starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    entropy: Arc<dyn Entropy>,
    proofs: MailboxProofs,
    verification: Verification,
    rules: AccountPolicy,
    limits: RequestLimits,
    recorder: Recorder,
}

impl SignUp {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            starter: SessionStarter::new(ports),
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            strength: ports.strength.clone(),
            entropy: ports.entropy.clone(),
            proofs: MailboxProofs::new(ports),
            verification: Verification::new(ports),
            rules: ports.accounts,
            limits: RequestLimits::new(ports),
            recorder: Recorder::new(ports),
        }
    }

    /// Creates the account and signs it in; where a mailbox has to be proved first, keeps what is asked for. Then the answer and the work are
    /// the same whether or not the address is taken: the owner of a taken one is told, once a day at most.
    ///
    /// # Errors
    /// [`SignUpError`]; then there is no account, unless the commit itself was cut off (a retry then says `EmailTaken`).
    pub async fn execute(&self, request: SignInRequest) -> Result<SignedUp, SignUpError> {
        let flow = self.limits.flow(&request.email, &request.client, false);
        self.hasher.admit(&flow)?;
        let held = self.limits.sign_up(&request.email, &request.client).await?;
        let outcome = self.create(request, &flow).await;
        // New accounts and taken addresses count. A weak password counts for the client's address only; a failure does not
        // count.
        match &outcome {
            Ok(_) | Err(SignUpError::EmailTaken) => {}
            Err(SignUpError::WeakPassword(_)) => self.limits.give_back_account(held).await,
            Err(_) => self.limits.give_back(held).await,
        }
        outcome
    }

    async fn create(
        &self,
        request: SignInRequest,
        flow: &HashFlow,
    ) -> Result<SignedUp, SignUpError> {
        let context = PasswordContext {
            email: &request.email,
            name: None,
            device: request.device_name.as_ref(),
        };
        let weakness = context
            .weakness(flow, &request.password, &*self.strength)
            .await?;
        if let Some(weakness) = weakness {
            return Err(SignUpError::WeakPassword(weakness));
        }
        if self.rules.mail && self.rules.verification == policy::Verification::Required {
            return self.ask(request, flow).await.map(SignedUp::Asked);
        }
        // Both, whatever the first says, so that time does not tell an account from one that can take the address back.
        let found = self.users.credentials_by_email(&request.email, &[]).await?;
        let undo = self.proofs.undo_of(&request.email).await?;
        if found.is_some() || undo.is_some() {
            return Err(SignUpError::EmailTaken);
        }
        let hash = self.hasher.hash(flow, &request.password).await?;
        let user_id = UserId::from_random(self.entropy.bytes());
        let prepared = self.starter.prepare(NewSession {
            user: user_id,
            epoch: Epoch::FIRST,
            client: &request.client,
            device_name: request.device_name,
            kept: None,
            authenticated_by: AuthMethods::PASSWORD,
        });
        let shown = self.starter.shown(&request.device_credentials);
        let user = User {
            factors: SetUpFactors::default(),
            id: user_id,
            email: request.email,
            email_verified_at: None,
            details: Details {
                locale: request.locale,
                ..Details::default()
            },
            created_at: prepared.session.began_at,
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
            roles: Roles::default(),
            app: AppData::default(),
            version: AccountVersion::at(prepared.session.began_at),
        };
        let (tokens, _) = self.starter.white_list(&user, &prepared).await?;
        let tell = self.tell(&prepared);
        let created = self
            .users
            .create(&user, &hash, &prepared.session, &tell)
            .await;
        let has_begun = |outcome: &_| matches!(outcome, CreateOutcome::Created);
        self.starter
            .withdraw_unless(&prepared, &created, has_begun)
            .await;
        let outcome = created?;
        self.recorder.record(&tell, &outcome);
        match outcome {
            CreateOutcome::EmailTaken => Err(SignUpError::EmailTaken),
            CreateOutcome::Created => {
                let proof = self.ask_to_verify(user, hash, &prepared).await;
                let others = self.starter.credentials(shown.all().iter().copied());
                Ok(SignedUp::Begun(
                    prepared.begun(tokens, Vec::new(), others),
                    proof,
                ))
            }
        }
    }

    /// Keeps what is asked for until its mailbox is proved. Its mail counts like any other that proves a mailbox, taken address or not.
    async fn ask(
        &self,
        request: SignInRequest,
        flow: &HashFlow,
    ) -> Result<RequestedProof, SignUpError> {
        let taken = self.limits.proof(&request.email, &request.client).await?;
        let asked = self.keep(request, flow).await;
        if asked.is_err() {
            self.limits.give_back(taken).await;
        }
        asked
    }

    /// The password is hashed before the look whether the address is taken.
    async fn keep(
        &self,
        request: SignInRequest,
        flow: &HashFlow,
    ) -> Result<RequestedProof, SignUpError> {
        let hash = self.hasher.hash(flow, &request.password).await?;
        let owner = self.owner(&request.email).await?;
        let account = owner.as_ref().map(|(account, _)| account);
        let user = account.map(|account| &account.user);
        let asker = ShownAsker {
            cookie: request.proof_cookie,
            device_credentials: request.device_credentials,
        };
        let asked = ProofRequest {
            purpose: ProofPurpose::SignUp,
            mail: if owner.is_some() {
                MailKind::AccountExists
            } else {
                MailKind::SignUp
            },
            address: owner.as_ref().map_or(request.email, |(_, own)| own.clone()),
            account,
            intent: Some(SignUpIntent::Password(hash)),
            // An owner is told in the language of the account, not in that of the client that signed up.
            locale: match user {
                Some(user) => user.details.locale.clone(),
                None => request.locale,
            },
            asker: &asker,
            client: &request.client,
            withheld: user.is_some_and(|user| user.disabled_at.is_some()),
            event: SecurityEvent::SignUpRequested {
                user: user.map(|user| user.id),
                address: request.client.address,
            },
        };
        Ok(self.proofs.open(asked).await?)
    }

    /// The account that has the address, or else can take it back, and the address as it has or had it. The reads are the same for all.
    async fn owner(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<(Credentials, EmailAddress)>, StoreError> {
        let found = self.users.credentials_by_email(email, &[]).await?;
        let undo = self.proofs.undo_of(email).await?;
        let former = undo.as_ref().and_then(|undo| undo.user);
        let nobody = || UserId::from_random(self.entropy.bytes());
        let former = self
            .users
            .credentials(former.unwrap_or_else(nobody))
            .await?;
        let found = found.map(|account| {
            let own = account.user.email.clone();
            (account, own)
        });
        Ok(found.or_else(|| Some((former?, undo?.address))))
    }

    /// The account is there, whether or not the mail can be asked for, or may: its user can ask again. The device of the sign-up is the client that
    /// asked.
    async fn ask_to_verify(
        &self,
        user: User,
        hash: PasswordHash,
        prepared: &PreparedSession,
    ) -> Option<RequestedProof> {
        if !self.rules.mail || self.rules.verification != policy::Verification::Optional {
            return None;
        }
        let account = Credentials {
            user,
            hash,
            known_device: None,
        };
        let asker = ShownAsker {
            cookie: None,
            device_credentials: vec![prepared.credential.clone()],
        };
        let client = &prepared.session.client;
        let taken = self.limits.proof(&account.user.email, client).await.ok()?;
        let opened = self.verification.open(&account, None, &asker, client).await;
        if opened.is_err() {
            self.limits.give_back(taken).await;
        }
        opened.ok()
    }

    fn tell(&self, prepared: &PreparedSession) -> Tell<CreateOutcome> {
        let session = &prepared.session;
        let user = session.user;
        let created = SecurityEvent::AccountCreated {
            user,
            session: Some(session.id),
            address: session.client.address,
            device: session.device_label().cloned(),
        };
        let told = move |outcome: &CreateOutcome| match outcome {
            CreateOutcome::Created => vec![created.clone()],
            CreateOutcome::EmailTaken => Vec::new(),
        };
        self.recorder.tell(prepared.at, Actor::User(user), told)
    }
}
