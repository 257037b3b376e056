//! A new account with a passkey in place of a password.

use super::{
    new_account::created,
    session_starter::PreparedSession,
    sign_up::{SignUp, SignUpError, SignUpForm, SignedUp},
};
use crate::{
    journal::SecurityEvent,
    model::{
        AuthMethods, Challenge, ChallengeId, ChallengeKind, ClientInfo, EmailAddress, FactorKind,
        Label, Locale, Passkey, PasswordHash, SetUpFactors, SignUpIntent, User,
    },
    ports::{Clock, Factors, PasskeySignUp, PasskeySignUpOutcome},
    use_cases::{
        factors::{Challenges, NotAnswered, PasskeyMaker, RecoveryCodeMaker},
        parts::{ServicePorts, ShownAsker},
    },
};
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;

/// A request to sign up with a passkey.
#[derive(Clone, Debug)]
pub struct PasskeySignUpRequest {
    /// The e-mail address of the account.
    pub email: EmailAddress,
    /// The challenge of [`BeginSignUpPasskey`](crate::use_cases::BeginSignUpPasskey).
    pub challenge: ChallengeId,
    /// `RegistrationResponseJSON` (WebAuthn Level 3 §5.1.8).
    pub credential: Value,
    /// What the user calls the passkey; without a name that of the authenticator's model.
    pub passkey_name: Option<Label>,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The device credentials that the client holds. Those that were not issued here are ignored.
    pub device_credentials: Vec<SecretString>,
    /// What the browser keeps of an earlier request for a mail.
    pub proof_cookie: Option<SecretString>,
    /// The language of the account's mails.
    pub locale: Option<Locale>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// What a sign-up with a passkey needs besides.
pub(super) struct PasskeySignUps {
    store: Arc<dyn Factors>,
    challenges: Challenges,
    passkeys: PasskeyMaker,
    codes: RecoveryCodeMaker,
    clock: Arc<dyn Clock>,
}

impl PasskeySignUps {
    pub(super) fn new(ports: &ServicePorts) -> Self {
        Self {
            store: ports.factors.store.clone(),
            challenges: Challenges::new(ports),
            passkeys: PasskeyMaker::new(ports),
            codes: RecoveryCodeMaker::new(ports),
            clock: ports.clock.clone(),
        }
    }
}

impl SignUp {
    /// The same as [`Self::execute`] with a passkey in place of a password. The account has no password. The recovery codes are in
    /// [`Begun::recovery_codes`](super::Begun::recovery_codes), at once or once the mailbox is proved. The challenge is spent in the commit of the account, or
    /// before the mail is asked for that proves the mailbox: the id of the account is in it, and no two sign-ups may have the same.
    ///
    /// # Errors
    /// [`SignUpError`]; then there is no account, unless the commit itself was cut off.
    pub async fn by_passkey(&self, request: PasskeySignUpRequest) -> Result<SignedUp, SignUpError> {
        let held = self.limits.sign_up(&request.email, &request.client).await?;
        let outcome = self.with_passkey(request).await;
        match &outcome {
            Ok(_) | Err(SignUpError::EmailTaken) => {}
            Err(_) => self.limits.give_back(held).await,
        }
        outcome
    }

    async fn with_passkey(&self, request: PasskeySignUpRequest) -> Result<SignedUp, SignUpError> {
        let (id, kind) = (request.challenge, ChallengeKind::SignUp);
        let challenges = &self.passkeys.challenges;
        let tried = challenges
            .attempt(id, kind, &request.client, |_| true)
            .await?;
        let challenge = tried?;
        let (form, passkey) = self.passkey(&challenge, request)?;
        let outcome = if self.proves_first() {
            let intent = async || {
                let at = self.passkeys.clock.now();
                if !self.passkeys.store.spend(id, kind, at).await? {
                    return Err(SignUpError::ChallengeGone);
                }
                Ok(SignUpIntent::Passkey(Box::new(passkey)))
            };
            self.ask(form, intent).await.map(SignedUp::Asked)
        } else {
            self.create_with(form, id, passkey).await
        };
        if matches!(
            outcome,
            Err(SignUpError::EmailTaken | SignUpError::Limited(_) | SignUpError::Failed(_))
        ) {
            challenges.forgive(id).await;
        }
        outcome
    }

    /// The passkey, if it counts.
    fn passkey(
        &self,
        challenge: &Challenge,
        request: PasskeySignUpRequest,
    ) -> Result<(SignUpForm, Passkey), SignUpError> {
        let user = challenge.user.ok_or(SignUpError::ChallengeGone)?.id;
        let challenges = &self.passkeys.challenges;
        let credential = challenges
            .registered(challenge, &request.credential)
            .inspect_err(|_| challenges.refuse(&request.client))?;
        let (name, at) = (request.passkey_name, self.passkeys.clock.now());
        let passkey = self.passkeys.passkeys.make(user, credential, name, at);
        let form = SignUpForm {
            email: request.email,
            device_name: request.device_name,
            asker: ShownAsker {
                cookie: request.proof_cookie,
                device_credentials: request.device_credentials,
            },
            locale: request.locale,
            client: request.client,
        };
        Ok((form, passkey))
    }

    async fn create_with(
        &self,
        form: SignUpForm,
        challenge: ChallengeId,
        passkey: Passkey,
    ) -> Result<SignedUp, SignUpError> {
        self.check_free(&form.email).await?;
        let by = AuthMethods::passkey(passkey.credential.backup_eligible);
        let (user, prepared) = self.prepare(&form, passkey.user, by);
        let user = User {
            factors: SetUpFactors {
                passkey: true,
                ..SetUpFactors::default()
            },
            ..user
        };
        let (codes, shown) = self.passkeys.codes.make(user.id, prepared.at)?;
        let (tokens, _) = self.starter.white_list(&user, &prepared).await?;
        let sign_up = PasskeySignUp {
            challenge,
            user,
            session: prepared.session.clone(),
            passkey,
            codes,
            at: prepared.at,
        };
        let has_begun = |outcome: &_| matches!(outcome, PasskeySignUpOutcome::Created);
        let mut told = vec![created(&prepared)];
        told.extend(passkey_added(&prepared));
        let tell = self.tell(&prepared, told, has_begun);
        let created = self.passkeys.store.sign_up(&sign_up, &tell).await;
        self.starter
            .withdraw_unless(&prepared, &created, has_begun)
            .await;
        let outcome = created?;
        self.recorder.record(&tell, &outcome);
        match outcome {
            PasskeySignUpOutcome::Created => {
                let none = PasswordHash::no_password();
                let begun = self.begun(&form, sign_up.user, none, prepared, tokens);
                Ok(begun.await.with_codes(shown))
            }
            PasskeySignUpOutcome::EmailTaken => Err(SignUpError::EmailTaken),
            PasskeySignUpOutcome::CredentialTaken => Err(SignUpError::CredentialRefused),
            PasskeySignUpOutcome::Gone => Err(SignUpError::ChallengeGone),
        }
    }
}

/// That the account of this session has a passkey and recovery codes.
pub(super) fn passkey_added(prepared: &PreparedSession) -> [SecurityEvent; 2] {
    let session = &prepared.session;
    let (user, address) = (session.user, session.client.address);
    let session = Some(session.id);
    [
        SecurityEvent::FactorAdded {
            user,
            session,
            address,
            factor: FactorKind::Passkey,
        },
        SecurityEvent::RecoveryCodesMade {
            user,
            session,
            address,
        },
    ]
}

impl From<NotAnswered> for SignUpError {
    fn from(not_answered: NotAnswered) -> Self {
        match not_answered {
            NotAnswered::Gone => Self::ChallengeGone,
            NotAnswered::Limited(limited) => limited.into(),
            NotAnswered::Refused => Self::CredentialRefused,
        }
    }
}
