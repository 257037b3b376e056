//! A change of the account's details and of the address to sign in with.

use super::{current_password::CurrentPassword, reauthentication::Reauthentication};
use crate::{
    journal::{Actor, ChangedFields, MailKind, SecurityEvent, Tell},
    model::{DetailsChange, EmailAddress, Epoch, Password, ProofPurpose, Timestamp, User},
    policy::AccountPolicy,
    ports::{Asking, Clock, StoreError, UpdateOutcome, UserRepository},
    use_cases::{
        parts::{
            Denied, Failure, MailboxProofs, ProofRequest, Recorder, Refused, RequestLimits,
            RequestedProof, ServicePorts, ShownAsker, from_via,
        },
        sessions::{Authenticate, Authenticated, Caller},
    },
};
use std::sync::Arc;

/// A change.
#[derive(Clone, Debug, Default)]
pub struct UpdateDetailsRequest {
    /// The fields that change.
    pub change: DetailsChange,
    /// Needed if the change names an e-mail address and the caller shows no reauthentication. For such a change a password that is
    /// given is checked, reauthentication or not.
    pub current_password: Option<Password>,
    /// What the client shows of itself, for the mail that proves a new address.
    pub asker: ShownAsker,
}

/// The details are changed.
#[derive(Clone, Debug)]
pub struct UpdatedDetails {
    /// The account as it is now.
    pub user: User,
    /// What changes the address, once the new one has proved itself; only where the service sends mail.
    pub proof: Option<RequestedProof>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateDetailsError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The current password is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// A new address needs the current password or a reauthentication that counts.
    #[error("reauthenticate first, or give the current password")]
    ReauthenticationRequired,
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
}

from_via!(
    UpdateDetailsError:
    StoreError => Refused,
    Failure => Refused,
    Denied => Refused,
);

/// Changes details.
pub struct UpdateDetails {
    authenticate: Authenticate,
    current: CurrentPassword,
    reauthentication: Reauthentication,
    users: Arc<dyn UserRepository>,
    proofs: MailboxProofs,
    rules: AccountPolicy,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl UpdateDetails {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            current: CurrentPassword::new(ports),
            reauthentication: Reauthentication::new(ports),
            users: ports.users.clone(),
            proofs: MailboxProofs::new(ports),
            rules: ports.accounts,
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
            recorder: Recorder::new(ports),
        }
    }

    /// Changes the fields that are named. Where the service sends mail, a new address only gets one: it need not be free, and nobody is told
    /// whether it is.
    ///
    /// # Errors
    /// [`UpdateDetailsError`]; then nothing changed. A mail to a new address may be under way if the other fields could not be changed.
    pub async fn execute(
        &self,
        caller: &Caller,
        mut request: UpdateDetailsRequest,
    ) -> Result<UpdatedDetails, UpdateDetailsError> {
        let authenticated = self.authenticate.on_device(caller).await?;
        let new_email = request
            .change
            .email
            .as_ref()
            .filter(|email| **email != authenticated.user.email);
        let epoch = if request.change.email.is_some() {
            let current = request.current_password.as_ref();
            Some(self.prove(caller, &authenticated, current).await?)
        } else {
            None
        };
        if self.rules.mail && new_email.is_some() {
            let address = request.change.email.take();
            return self
                .ask(caller, &authenticated, epoch, request, address)
                .await;
        }
        let user = self
            .update(caller, &authenticated, epoch, &request.change)
            .await?;
        Ok(UpdatedDetails { user, proof: None })
    }

    /// Asks for a proof of the new address, then changes the other fields: if the mail can't be asked for, nothing changes.
    async fn ask(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        epoch: Option<Epoch>,
        request: UpdateDetailsRequest,
        address: Option<EmailAddress>,
    ) -> Result<UpdatedDetails, UpdateDetailsError> {
        let account = self.users.credentials(authenticated.user.id).await?;
        // Under another epoch the password that was shown may not be the account's any more.
        let account = account.filter(|account| Some(account.user.epoch) == epoch);
        let (Some(account), Some(address)) = (account, address) else {
            self.authenticate.execute(&caller.id_token).await?;
            return Err(UpdateDetailsError::ReauthenticationRequired);
        };
        let taken = self
            .limits
            .address_change(&account.user.email, &address, &caller.client)
            .await?;
        let asked = ProofRequest {
            purpose: ProofPurpose::ChangeEmail,
            mail: MailKind::ChangeEmail,
            address,
            account: Some(&account),
            intent: None,
            locale: match &request.change.locale {
                Some(locale) => locale.clone(),
                None => account.user.details.locale.clone(),
            },
            asker: &request.asker,
            client: &caller.client,
            withheld: false,
            event: SecurityEvent::EmailChangeRequested {
                user: account.user.id,
                session: authenticated.session.id,
                address: caller.client.address,
            },
        };
        let proof = match self.proofs.open(asked).await {
            Ok(proof) => Some(proof),
            Err(error) => {
                self.limits.give_back(taken).await;
                return Err(error.into());
            }
        };
        let user = if request.change == DetailsChange::default() {
            authenticated.user.clone()
        } else {
            self.update(caller, authenticated, epoch, &request.change)
                .await?
        };
        Ok(UpdatedDetails { user, proof })
    }

    async fn update(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        epoch: Option<Epoch>,
        change: &DetailsChange,
    ) -> Result<User, UpdateDetailsError> {
        let new_email = change
            .email
            .as_ref()
            .filter(|email| **email != authenticated.user.email);
        // A change of address reveals whether it has an account, as a sign-up does, and counts as one.
        let asked = match new_email {
            Some(email) => Some(self.limits.sign_up(email, &caller.client).await?),
            None => None,
        };
        let user = authenticated.user.id;
        let asking = Asking {
            session: authenticated.session.id,
            epoch,
        };
        let now = self.clock.now();
        let tell = self.tell(caller, authenticated, now, change, new_email.is_some());
        let outcome = self
            .users
            .update(user, change, Some(asking), now, &tell)
            .await;
        if let Some(asked) = asked
            && !matches!(
                outcome,
                Ok(UpdateOutcome::Updated(_) | UpdateOutcome::EmailTaken)
            )
        {
            self.limits.give_back(asked).await;
        }
        let outcome = outcome?;
        self.recorder.record(&tell, &outcome);
        match outcome {
            UpdateOutcome::EmailTaken => Err(UpdateDetailsError::EmailTaken),
            UpdateOutcome::NotFound | UpdateOutcome::Superseded => {
                // Either the session has ended meanwhile, and its row has the reason, or what proved the password counts for nothing any
                // more.
                self.authenticate.execute(&caller.id_token).await?;
                Err(UpdateDetailsError::ReauthenticationRequired)
            }
            UpdateOutcome::Updated(user) => Ok(user),
        }
    }

    /// The account's epoch when the password was shown, now or by the reauthentication.
    async fn prove(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        current: Option<&Password>,
    ) -> Result<Epoch, UpdateDetailsError> {
        let Some(password) = current else {
            let shown = self.reauthentication.shown(caller, authenticated).await?;
            return shown.ok_or(UpdateDetailsError::ReauthenticationRequired);
        };
        let held = self.current.admit(authenticated, &caller.client).await?;
        let user = authenticated.user.id;
        let checked = self.current.check(held, user, password).await?;
        let credentials = checked.ok_or(UpdateDetailsError::WrongPassword)?;
        Ok(credentials.user.epoch)
    }

    fn tell(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        now: Timestamp,
        change: &DetailsChange,
        new_email: bool,
    ) -> Tell<UpdateOutcome> {
        let user = authenticated.user.id;
        let (session, address) = (Some(authenticated.session.id), caller.client.address);
        let email = new_email.then_some(SecurityEvent::EmailChanged {
            user,
            session,
            address,
        });
        let details = ChangedFields::of(change).map(|changed| SecurityEvent::AccountChanged {
            user,
            session,
            address,
            changed,
        });
        let events: Vec<_> = email.into_iter().chain(details).collect();
        let told = move |outcome: &UpdateOutcome| match outcome {
            UpdateOutcome::Updated(_) => events.clone(),
            _ => Vec::new(),
        };
        self.recorder.tell(now, Actor::User(user), told)
    }
}
