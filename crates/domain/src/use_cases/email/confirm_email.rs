//! The verification of an address, and its change.

use crate::{
    journal::{Actor, MailKind, SecurityEvent, Told},
    model::{ClientInfo, Password, Proof, ProofPurpose},
    ports::{
        AddressChange, AddressOutcome, Clock, PasswordCheck, PasswordHasher, StoreError,
        UserRepository, VerifyOutcome,
    },
    use_cases::{
        parts::{
            Denied, Failure, MailboxProofs, PasswordAttempt, ProofRefused, Refused, RequestLimits,
            ServicePorts, ShownProof, from_via,
        },
        sessions::{Authenticate, Caller},
    },
};
use std::sync::Arc;

/// What a proof here can be for.
const PURPOSES: [ProofPurpose; 2] = [ProofPurpose::VerifyEmail, ProofPurpose::ChangeEmail];

/// A proof of an account's mailbox.
#[derive(Clone, Debug)]
pub struct ConfirmEmailRequest {
    /// The proof.
    pub proof: ShownProof,
    /// The account's user, if the client has a session of it.
    pub caller: Option<Caller>,
    /// The account's password, for a client without a session of it. It counts as much: whoever knows it could begin one.
    pub password: Option<Password>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why the address is not verified or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmEmailError {
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// The client has no session of the account, nor has it asked for a mail that verifies. The mail's reader may be another person than the
    /// account's user, and must not lend the mailbox to a stranger's account.
    #[error(
        "the code counts only in a session of the account, or, unless it changes the address, where the mail was asked for"
    )]
    SessionRequired,
    /// The password is not the account's.
    #[error("the password is wrong")]
    WrongPassword,
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The ID token was refused, or a dependency failed.
    #[error(transparent)]
    Refused(#[from] Refused),
}

from_via!(ConfirmEmailError: StoreError => Refused, Failure => Refused, Denied => Refused);

/// Verifies addresses, and changes them to those that are.
pub struct ConfirmEmail {
    authenticate: Authenticate,
    proofs: MailboxProofs,
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
}

impl ConfirmEmail {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            proofs: MailboxProofs::new(ports),
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
        }
    }

    /// Verifies the address of the proof's account, or changes it to that of the proof.
    ///
    /// # Errors
    /// [`ConfirmEmailError`]; then nothing changed but the number of the proof's attempts.
    pub async fn execute(&self, request: &ConfirmEmailRequest) -> Result<(), ConfirmEmailError> {
        let (shown, client) = (&request.proof, &request.client);
        let proof = self.proofs.find(&PURPOSES, shown, client).await??;
        // Before an attempt is counted: a stranger uses up none.
        let is_owner = self.is_owner(&proof, request).await?;
        let password = request.password.as_ref().filter(|_| !is_owner);
        if !is_owner && password.is_none() {
            return Err(ConfirmEmailError::SessionRequired);
        }
        let proof = self.proofs.prove(&proof, shown, client).await??;
        let outcome = self.grant(&proof, password, request).await;
        if matches!(outcome, Err(ConfirmEmailError::Refused(_))) {
            self.proofs.forgive(shown).await;
        }
        outcome
    }

    async fn grant(
        &self,
        proof: &Proof,
        password: Option<&Password>,
        request: &ConfirmEmailRequest,
    ) -> Result<(), ConfirmEmailError> {
        if let Some(password) = password {
            self.check_password(proof, password, &request.client)
                .await?;
        }
        match proof.purpose {
            ProofPurpose::ChangeEmail => self.change(proof, request).await,
            _ => self.verify(proof, &request.client).await,
        }
    }

    /// Counts like the password of a sign-in; the attempt at the proof that stands beside it is not given back for a wrong one.
    async fn check_password(
        &self,
        proof: &Proof,
        password: &Password,
        client: &ClientInfo,
    ) -> Result<(), ConfirmEmailError> {
        let user = proof.user.ok_or(ProofRefused::Gone)?;
        let account = self.users.credentials(user).await?;
        let account = account.ok_or(ProofRefused::Gone)?;
        let email = &account.user.email;
        let flow = self.limits.flow(email, client, false);
        self.hasher.admit(&flow)?;
        let attempt = PasswordAttempt {
            email,
            client,
            known: None,
        };
        let taken = self.limits.password(attempt).await?;
        let check = self
            .hasher
            .check(&flow, password, Some(&account.hash))
            .await;
        if matches!(check, Ok(PasswordCheck::Mismatch)) {
            return Err(ConfirmEmailError::WrongPassword);
        }
        self.limits.give_back(taken).await;
        check?;
        Ok(())
    }

    async fn is_owner(
        &self,
        proof: &Proof,
        request: &ConfirmEmailRequest,
    ) -> Result<bool, ConfirmEmailError> {
        // A change of address ends with the session that asked for it, and only a session can show that it has not.
        let is_change = proof.purpose == ProofPurpose::ChangeEmail;
        if !is_change && self.proofs.is_asker(proof, &request.proof.asker) {
            return Ok(true);
        }
        let Some(caller) = &request.caller else {
            return Ok(false);
        };
        let authenticated = self.authenticate.on_device(caller).await?;
        Ok(proof.user == Some(authenticated.user.id))
    }

    async fn change(
        &self,
        proof: &Proof,
        request: &ConfirmEmailRequest,
    ) -> Result<(), ConfirmEmailError> {
        let user = proof.user.ok_or(ProofRefused::Gone)?;
        let account = self.users.credentials(user).await?;
        let former = account.ok_or(ProofRefused::Gone)?.user;
        let now = self.clock.now();
        // An address that was never verified may be a stranger's, who must not get the account.
        let is_verified = former.email_verified_at.is_some();
        let undo = is_verified.then(|| self.proofs.undo(&former, proof, now));
        let mut mail =
            self.proofs
                .recorder
                .notice(MailKind::EmailChanged, &former, &request.client, now);
        if let Some(mail) = &mut mail {
            if let Some(undo) = &undo {
                mail.proof = Some(undo.id);
                mail.expires_at = undo.expires_at;
            }
            mail.facts.subject = Some(proof.address.as_str().to_owned());
        }
        let address = request.client.address;
        let told = move |outcome: &AddressOutcome| match outcome {
            AddressOutcome::Changed(user) => Told {
                events: vec![SecurityEvent::EmailChanged {
                    user: user.id,
                    session: None,
                    address,
                }],
                mails: mail.clone().into_iter().collect(),
            },
            AddressOutcome::Gone | AddressOutcome::EmailTaken => Told::default(),
        };
        let change = AddressChange {
            proof: proof.version(),
            undo,
            at: now,
        };
        let tell = self.proofs.recorder.tell(now, Actor::User(user), told);
        let outcome = self.proofs.proofs.change_email(&change, &tell).await?;
        self.proofs.recorder.record(&tell, &outcome);
        match outcome {
            AddressOutcome::Changed(_) => Ok(()),
            AddressOutcome::Gone => Err(ProofRefused::Gone.into()),
            AddressOutcome::EmailTaken => Err(ConfirmEmailError::EmailTaken),
        }
    }

    async fn verify(&self, proof: &Proof, client: &ClientInfo) -> Result<(), ConfirmEmailError> {
        let Some(user) = proof.user else {
            return Err(ProofRefused::Gone.into());
        };
        let now = self.clock.now();
        let address = client.address;
        let told = move |outcome: &VerifyOutcome| match outcome {
            VerifyOutcome::Verified(user) => Told {
                events: vec![SecurityEvent::EmailVerified {
                    user: user.id,
                    address,
                }],
                mails: Vec::new(),
            },
            VerifyOutcome::Gone => Told::default(),
        };
        let tell = self.proofs.recorder.tell(now, Actor::User(user), told);
        let verified = self.proofs.proofs.verify(proof.version(), now, &tell);
        let outcome = verified.await?;
        self.proofs.recorder.record(&tell, &outcome);
        match outcome {
            VerifyOutcome::Verified(_) => Ok(()),
            VerifyOutcome::Gone => Err(ProofRefused::Gone.into()),
        }
    }
}
