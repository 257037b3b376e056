//! A new account, once its mailbox is proved.

use super::session_starter::{Begun, NewSession, PreparedSession, SessionStarter};
use crate::{
    journal::{Actor, SecurityEvent},
    model::{
        AccountVersion, AppData, AuthMethods, ClientInfo, Details, Epoch, HashKind, Label,
        Password, Proof, ProofPurpose, Roles, SetUpFactors, SignUpIntent, User, UserId,
    },
    ports::{
        Entropy, PasswordCheck, PasswordHasher, ProvedSignUp, SignError, SignUpOutcome, StoreError,
    },
    use_cases::parts::{
        Failure, MailboxProofs, ProofRefused, RequestLimits, ServicePorts, ShownProof, from_via,
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// The proof of a sign-up's mailbox.
#[derive(Clone, Debug)]
pub struct ConfirmSignUpRequest {
    /// The proof.
    pub proof: ShownProof,
    /// The password of the sign-up. Needed unless this is the client that signed up: whoever reads the mailbox must not make an account with the
    /// password of a stranger. One that is given is checked in any case.
    pub password: Option<Password>,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmSignUpError {
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// This is not the client that signed up, and it gave no password.
    #[error("the password of the sign-up is needed on another client")]
    PasswordRequired,
    /// The password is not that of the sign-up.
    #[error("the password is not that of the sign-up")]
    WrongPassword,
    /// Another account has that address by now.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The sign-up is with a passkey, and this is not the client that signed up. The proof can still be used there.
    #[error("the code counts only where the sign-up was made")]
    OtherClient,
    /// An account has the passkey of the sign-up by now.
    #[error("the passkey can't be used")]
    CredentialRefused,
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(ConfirmSignUpError: StoreError => Failure, SignError => Failure);

/// Makes accounts out of sign-ups. The white list is written first and the rows last, as for a sign-up that has nothing to prove.
pub struct ConfirmSignUp {
    proofs: MailboxProofs,
    starter: SessionStarter,
    hasher: Arc<dyn PasswordHasher>,
    limits: RequestLimits,
    entropy: Arc<dyn Entropy>,
}

impl ConfirmSignUp {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            starter: SessionStarter::new(ports),
            hasher: ports.hasher.clone(),
            limits: RequestLimits::new(ports),
            entropy: ports.entropy.clone(),
        }
    }

    /// Makes this sign-up the account, voids the others of its address, and signs it in. Another client than the one that signed up needs the
    /// password of the sign-up.
    ///
    /// # Errors
    /// [`ConfirmSignUpError`]; then nothing changed but the number of the proof's attempts.
    pub async fn execute(
        &self,
        request: ConfirmSignUpRequest,
    ) -> Result<Begun, ConfirmSignUpError> {
        let purpose = ProofPurpose::SignUp;
        let checked = self.proofs.check(purpose, &request.proof, &request.client);
        let proof = checked.await??;
        let shown = request.proof.clone();
        let outcome = self.begin(&proof, request).await;
        self.settle(&shown, outcome).await
    }

    async fn settle(
        &self,
        shown: &ShownProof,
        outcome: Result<Begun, ConfirmSignUpError>,
    ) -> Result<Begun, ConfirmSignUpError> {
        // A wrong password counts: no more of them can be tried than codes.
        if matches!(
            outcome,
            Err(ConfirmSignUpError::PasswordRequired | ConfirmSignUpError::Failed(_))
        ) {
            self.proofs.forgive(shown).await;
        }
        outcome
    }

    /// Whether this is whoever signed up: by the client, or by the password.
    async fn own(
        &self,
        proof: &Proof,
        request: &ConfirmSignUpRequest,
    ) -> Result<(), ConfirmSignUpError> {
        let Some(password) = &request.password else {
            let is_asker = self.proofs.is_asker(proof, &request.proof.asker);
            return if is_asker {
                Ok(())
            } else {
                Err(ConfirmSignUpError::PasswordRequired)
            };
        };
        let flow = self.limits.flow(&proof.address, &request.client, false);
        let hash = proof.intent.as_ref().map(SignUpIntent::hash);
        let hash = hash.filter(|hash| hash.kind() == HashKind::Hash);
        match self.hasher.check(&flow, password, hash.as_ref()).await? {
            PasswordCheck::Match { .. } => Ok(()),
            PasswordCheck::Mismatch => Err(ConfirmSignUpError::WrongPassword),
        }
    }

    async fn begin(
        &self,
        proof: &Proof,
        request: ConfirmSignUpRequest,
    ) -> Result<Begun, ConfirmSignUpError> {
        self.own(proof, &request).await?;
        let (user, prepared, others) = self.prepare(proof, request);
        let (tokens, _) = self.starter.white_list(&user, &prepared).await?;
        self.commit(proof, user, &prepared).await?;
        Ok(prepared.begun(tokens, Vec::new(), others))
    }

    /// The account, its first session, and the credentials of the devices that the client shows.
    fn prepare(
        &self,
        proof: &Proof,
        request: ConfirmSignUpRequest,
    ) -> (User, PreparedSession, Vec<SecretString>) {
        let id = UserId::from_random(self.entropy.bytes());
        let starter = &self.starter;
        let prepared = starter.prepare(NewSession {
            user: id,
            epoch: Epoch::FIRST,
            client: &request.client,
            device_name: request.device_name,
            kept: None,
            // The password was given to sign up, by this client or once more.
            authenticated_by: AuthMethods::CODE_AND_PASSWORD,
        });
        let shown = starter.shown(&request.proof.asker.device_credentials);
        let user = User {
            factors: SetUpFactors::default(),
            id,
            email: proof.address.clone(),
            email_verified_at: Some(prepared.session.began_at),
            details: Details {
                locale: proof.locale.clone(),
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
        let others = starter.credentials(shown.all().iter().copied());
        (user, prepared, others)
    }

    async fn commit(
        &self,
        proof: &Proof,
        user: User,
        prepared: &PreparedSession,
    ) -> Result<(), ConfirmSignUpError> {
        let session = &prepared.session;
        let (id, address) = (user.id, session.client.address);
        let created = SecurityEvent::AccountCreated {
            user: id,
            session: Some(session.id),
            address,
            device: session.device_label().cloned(),
        };
        let told = move |outcome: &SignUpOutcome| match outcome {
            SignUpOutcome::Created => vec![
                created.clone(),
                SecurityEvent::EmailVerified { user: id, address },
            ],
            SignUpOutcome::Gone | SignUpOutcome::EmailTaken | SignUpOutcome::CredentialTaken => {
                Vec::new()
            }
        };
        let proved = ProvedSignUp {
            proof: proof.version(),
            user,
            session: session.clone(),
            codes: None,
            at: prepared.at,
        };
        let tell = self.proofs.recorder.tell(proved.at, Actor::User(id), told);
        let outcome = self.proofs.proofs.sign_up(&proved, &tell).await;
        let has_begun = |outcome: &_| matches!(outcome, SignUpOutcome::Created);
        self.starter
            .withdraw_unless(prepared, &outcome, has_begun)
            .await;
        let outcome = outcome?;
        self.proofs.recorder.record(&tell, &outcome);
        match outcome {
            SignUpOutcome::Created => Ok(()),
            SignUpOutcome::Gone => Err(ProofRefused::Gone.into()),
            SignUpOutcome::EmailTaken => Err(ConfirmSignUpError::EmailTaken),
            SignUpOutcome::CredentialTaken => Err(ConfirmSignUpError::CredentialRefused),
        }
    }
}
