//! A new account, once its mailbox is proved.

use super::{
    new_account::{created, new_account},
    session_starter::{Begun, NewSession, PreparedSession, SessionStarter},
    sign_up_by_passkey::passkey_added,
};
use crate::{
    journal::{Actor, SecurityEvent},
    model::{
        AuthMethods, ClientInfo, Epoch, Label, Password, Proof, ProofPurpose, RecoveryCodes,
        SetUpFactors, SignUpIntent, User, UserId,
    },
    ports::{
        Entropy, FactorFault, PasswordCheck, PasswordHasher, ProvedSignUp, SignError,
        SignUpOutcome, StoreError,
    },
    use_cases::{
        factors::RecoveryCodeMaker,
        parts::{
            Failure, MailboxProofs, ProofRefused, RequestLimits, ServicePorts, ShownProof, from_via,
        },
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

from_via!(ConfirmSignUpError: StoreError => Failure, SignError => Failure, FactorFault => Failure);

/// Makes accounts out of sign-ups. The white list is written first and the rows last, as for a sign-up that has nothing to prove.
pub struct ConfirmSignUp {
    proofs: MailboxProofs,
    starter: SessionStarter,
    hasher: Arc<dyn PasswordHasher>,
    limits: RequestLimits,
    entropy: Arc<dyn Entropy>,
    codes: RecoveryCodeMaker,
}

impl ConfirmSignUp {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            starter: SessionStarter::new(ports),
            hasher: ports.hasher.clone(),
            limits: RequestLimits::new(ports),
            entropy: ports.entropy.clone(),
            codes: RecoveryCodeMaker::new(ports),
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
            Err(ConfirmSignUpError::PasswordRequired
                | ConfirmSignUpError::OtherClient
                | ConfirmSignUpError::Failed(_))
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
        let is_asker = self.proofs.is_asker(proof, &request.proof.asker);
        if matches!(proof.intent, Some(SignUpIntent::Passkey(_))) {
            // No password could be given, and none is looked at.
            return is_asker
                .then_some(())
                .ok_or(ConfirmSignUpError::OtherClient);
        }
        let Some(password) = &request.password else {
            return is_asker
                .then_some(())
                .ok_or(ConfirmSignUpError::PasswordRequired);
        };
        let flow = self.limits.flow(&proof.address, &request.client, false);
        let hash = proof.intent.as_ref().map(SignUpIntent::hash);
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
        let codes = if user.factors.any() {
            Some(self.codes.make(user.id, prepared.at)?)
        } else {
            None
        };
        let (codes, shown) = codes.unzip();
        let (tokens, _) = self.starter.white_list(&user, &prepared).await?;
        self.commit(proof, user, codes, &prepared).await?;
        let mut begun = prepared.begun(tokens, Vec::new(), others);
        begun.recovery_codes = shown;
        Ok(begun)
    }

    /// The account, its first session, and the credentials of the devices that the client shows. The id of an account with a passkey is that which
    /// the authenticator has.
    fn prepare(
        &self,
        proof: &Proof,
        request: ConfirmSignUpRequest,
    ) -> (User, PreparedSession, Vec<SecretString>) {
        let passkey = match &proof.intent {
            Some(SignUpIntent::Passkey(passkey)) => Some(passkey),
            Some(SignUpIntent::Password(_)) | None => None,
        };
        let id = passkey.map_or_else(
            || UserId::from_random(self.entropy.bytes()),
            |passkey| passkey.user,
        );
        let starter = &self.starter;
        let prepared = starter.prepare(NewSession {
            user: id,
            epoch: Epoch::FIRST,
            client: &request.client,
            device_name: request.device_name,
            kept: None,
            made: None,
            // Password or passkey was given to sign up, by this client or once more.
            authenticated_by: passkey.map_or(AuthMethods::CODE_AND_PASSWORD, |passkey| {
                let by = AuthMethods::passkey(passkey.credential.backup_eligible);
                AuthMethods::CODE.and_factor(by)
            }),
        });
        let shown = starter.shown(&request.proof.asker.device_credentials);
        let at = prepared.session.began_at;
        let user = User {
            email_verified_at: Some(at),
            factors: SetUpFactors {
                passkey: passkey.is_some(),
                ..SetUpFactors::default()
            },
            ..new_account(id, proof.address.clone(), proof.locale.clone(), at)
        };
        let others = starter.credentials(shown.all().iter().copied());
        (user, prepared, others)
    }

    async fn commit(
        &self,
        proof: &Proof,
        user: User,
        codes: Option<RecoveryCodes>,
        prepared: &PreparedSession,
    ) -> Result<(), ConfirmSignUpError> {
        let session = &prepared.session;
        let (id, address) = (user.id, session.client.address);
        let mut all = vec![
            created(prepared),
            SecurityEvent::EmailVerified { user: id, address },
        ];
        if user.factors.any() {
            all.extend(passkey_added(prepared));
        }
        let told = move |outcome: &SignUpOutcome| match outcome {
            SignUpOutcome::Created => all.clone(),
            SignUpOutcome::Gone | SignUpOutcome::EmailTaken | SignUpOutcome::CredentialTaken => {
                Vec::new()
            }
        };
        let proved = ProvedSignUp {
            proof: proof.version(),
            user,
            session: session.clone(),
            codes,
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
