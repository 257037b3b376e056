//! A new account with its first session.

use super::{
    new_account::{created, new_account},
    password_context::PasswordContext,
    session_starter::{Begun, NewSession, PreparedSession, SessionStarter, SignInRequest},
    sign_up_by_passkey::PasskeySignUps,
};
use crate::{
    journal::{Actor, MailKind, SecurityEvent, Tell},
    model::{
        AuthMethods, ClientInfo, Credentials, EmailAddress, Epoch, FieldError, Label, Locale,
        PasswordHash, ProofPurpose, SignUpIntent, User, UserId,
    },
    policy::{self, AccountPolicy},
    ports::{
        CreateOutcome, Entropy, FactorFault, HashFlow, PasswordHasher, PasswordStrength, SignError,
        StoreError, UserRepository,
    },
    use_cases::{
        email::Verification,
        factors::ShownRecoveryCodes,
        parts::{
            Failure, Limited, MailboxProofs, ProofRequest, Recorder, RequestLimits, RequestedProof,
            ServicePorts, ShownAsker, TokenPair, from_denied, from_via,
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
from_via!(SignUpError: StoreError => Failure, SignError => Failure, FactorFault => Failure);

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
    pub(super) fn with_codes(self, codes: ShownRecoveryCodes) -> Self {
        match self {
            Self::Begun(begun, proof) => {
                let recovery_codes = Some(codes);
                let begun = Begun {
                    recovery_codes,
                    ..begun
                };
                Self::Begun(begun, proof)
            }
            asked @ Self::Asked(_) => asked,
        }
    }

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
    pub(super) starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    entropy: Arc<dyn Entropy>,
    proofs: MailboxProofs,
    verification: Verification,
    rules: AccountPolicy,
    pub(super) limits: RequestLimits,
    pub(super) recorder: Recorder,
    pub(super) passkeys: PasskeySignUps,
}

/// Who signs up, but for what is signed in with.
pub(super) struct SignUpForm {
    pub(super) email: EmailAddress,
    pub(super) device_name: Option<Label>,
    pub(super) asker: ShownAsker,
    pub(super) locale: Option<Locale>,
    pub(super) client: ClientInfo,
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
            passkeys: PasskeySignUps::new(ports),
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
        let SignInRequest {
            email,
            password,
            device_name,
            device_credentials,
            proof_cookie,
            locale,
            client,
        } = request;
        let form = SignUpForm {
            email,
            device_name,
            asker: ShownAsker {
                cookie: proof_cookie,
                device_credentials,
            },
            locale,
            client,
        };
        // The password is hashed before the look whether the address is taken.
        let hash = async || self.hasher.hash(flow, &password).await;
        if self.proves_first() {
            let intent = async || Ok(SignUpIntent::Password(hash().await?));
            return self.ask(form, intent).await.map(SignedUp::Asked);
        }
        self.check_free(&form.email).await?;
        let hash = hash().await?;
        let user = UserId::from_random(self.entropy.bytes());
        let (user, prepared) = self.prepare(&form, user, AuthMethods::PASSWORD);
        let (tokens, _) = self.starter.white_list(&user, &prepared).await?;
        let told = vec![created(&prepared)];
        let tell = self.tell(&prepared, told, |outcome| {
            matches!(outcome, CreateOutcome::Created)
        });
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
            CreateOutcome::Created => Ok(self.begun(&form, user, hash, prepared, tokens).await),
        }
    }

    /// Whether there is no account before its mailbox is proved.
    pub(super) fn proves_first(&self) -> bool {
        self.rules.mail && self.rules.verification == policy::Verification::Required
    }

    /// Both reads, whatever the first says, so that time does not tell an account from one that can take the address back.
    pub(super) async fn check_free(&self, email: &EmailAddress) -> Result<(), SignUpError> {
        let found = self.users.credentials_by_email(email, &[]).await?;
        let undo = self.proofs.undo_of(email).await?;
        if found.is_some() || undo.is_some() {
            return Err(SignUpError::EmailTaken);
        }
        Ok(())
    }

    /// The account, and its first session.
    pub(super) fn prepare(
        &self,
        form: &SignUpForm,
        user: UserId,
        by: AuthMethods,
    ) -> (User, PreparedSession) {
        let prepared = self.starter.prepare(NewSession {
            user,
            epoch: Epoch::FIRST,
            client: &form.client,
            device_name: form.device_name.clone(),
            kept: None,
            made: None,
            authenticated_by: by,
        });
        let at = prepared.session.began_at;
        let user = new_account(user, form.email.clone(), form.locale.clone(), at);
        (user, prepared)
    }

    /// The answer, with the proof that verifies the address, if there is one.
    pub(super) async fn begun(
        &self,
        form: &SignUpForm,
        user: User,
        hash: PasswordHash,
        prepared: PreparedSession,
        tokens: TokenPair,
    ) -> SignedUp {
        let proof = self.ask_to_verify(user, hash, &prepared).await;
        let shown = self.starter.shown(&form.asker.device_credentials);
        let others = self.starter.credentials(shown.all().iter().copied());
        SignedUp::Begun(prepared.begun(tokens, Vec::new(), others), proof)
    }

    /// Keeps what is asked for until its mailbox is proved. Its mail counts like any other that proves a mailbox, taken address or not.
    pub(super) async fn ask(
        &self,
        form: SignUpForm,
        intent: impl AsyncFnOnce() -> Result<SignUpIntent, SignUpError>,
    ) -> Result<RequestedProof, SignUpError> {
        let taken = self.limits.proof(&form.email, &form.client).await?;
        let asked = match intent().await {
            Ok(intent) => self.keep(form, intent).await,
            Err(error) => Err(error),
        };
        if asked.is_err() {
            self.limits.give_back(taken).await;
        }
        asked
    }

    async fn keep(
        &self,
        form: SignUpForm,
        intent: SignUpIntent,
    ) -> Result<RequestedProof, SignUpError> {
        let owner = self.owner(&form.email).await?;
        let account = owner.as_ref().map(|(account, _)| account);
        let user = account.map(|account| &account.user);
        let asked = ProofRequest {
            purpose: ProofPurpose::SignUp,
            mail: if owner.is_some() {
                MailKind::AccountExists
            } else {
                MailKind::SignUp
            },
            address: owner.as_ref().map_or(form.email, |(_, own)| own.clone()),
            account,
            intent: Some(intent),
            // An owner is told in the language of the account, not in that of the client that signed up.
            locale: match user {
                Some(user) => user.details.locale.clone(),
                None => form.locale,
            },
            asker: &form.asker,
            client: &form.client,
            withheld: user.is_some_and(|user| user.disabled_at.is_some()),
            event: SecurityEvent::SignUpRequested {
                user: user.map(|user| user.id),
                address: form.client.address,
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

    /// What an outcome tells by which the account `is_created`.
    pub(super) fn tell<O>(
        &self,
        prepared: &PreparedSession,
        told: Vec<SecurityEvent>,
        is_created: impl Fn(&O) -> bool + Send + Sync + 'static,
    ) -> Tell<O> {
        let actor = Actor::User(prepared.session.user);
        self.recorder.tell(prepared.at, actor, move |outcome: &O| {
            if is_created(outcome) {
                told.clone()
            } else {
                Vec::new()
            }
        })
    }
}
