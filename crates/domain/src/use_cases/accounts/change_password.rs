//! A new password: this session goes on, all others end.

use super::own_details::OwnDetails;
use crate::{
    model::{ClientInfo, Credentials, EndReason, FieldError, Password, UserId},
    ports::{
        Clearing, Clock, PasswordChange, PasswordCheck, PasswordHasher, PasswordOutcome,
        PasswordStrength, SecurityEvent, SecurityEvents, StoreError, UserRepository,
    },
    use_cases::{
        parts::{Failure, Guess, Limits, Own, Refusal, Refused},
        sessions::{Authenticate, Clear},
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// A request to change the password.
#[derive(Clone, Debug)]
pub struct ChangePasswordRequest {
    /// The password so far.
    pub current: Password,
    /// The one to be.
    pub new: Password,
    /// Where the request came from.
    pub client: ClientInfo,
}

/// Why the password is what it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The current password is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The new password would soon be guessed.
    #[error("the new password {0}")]
    WeakPassword(FieldError),
    /// Another change of the account's password or sessions came first.
    #[error("the account was changed at the same time; look again and retry")]
    Conflict,
}

/// Changes the password.
pub struct ChangePassword {
    /// Who is calling.
    pub authenticate: Authenticate,
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// Checks and hashes.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Judges the new one.
    pub strength: Arc<dyn PasswordStrength>,
    /// Clears the white list.
    pub clear: Clear,
    /// Slows down those who guess.
    pub limits: Limits,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl ChangePassword {
    /// Sets a new password and ends all other sessions.
    ///
    /// # Errors
    /// [`ChangePasswordError`]; then nothing changed.
    pub async fn execute(
        &self,
        id_token: &SecretString,
        request: ChangePasswordRequest,
    ) -> Result<(), ChangePasswordError> {
        let caller = self.authenticate.execute(id_token).await?;
        self.hasher.admit()?;
        let (user, session) = (caller.user.id, caller.session.id);
        let own = Some(Own::Session(user, session));
        let guess = Guess {
            email: &caller.user.email,
            client: &request.client,
            own,
        };
        let held = self.limits.guess(guess).await.map_err(Refused::from)?;
        let (name, device) = (
            caller.user.details.name.as_ref(),
            caller.session.device_name.as_ref(),
        );
        let own = OwnDetails {
            email: &caller.user.email,
            name,
            device,
        };
        match own.fault(&request.new, &*self.strength).await {
            Ok(None) => {}
            // Counts: judging is work that one session must not make without end.
            Ok(Some(fault)) => return Err(ChangePasswordError::WeakPassword(fault)),
            Err(error) => {
                self.limits.give_back(held).await;
                return Err(error.into());
            }
        }
        let judged = self.judge(user, &request.current).await;
        if !matches!(judged, Err(ChangePasswordError::WrongPassword)) {
            self.limits.give_back(held).await;
        }
        let credentials = judged?;
        let hash = self.hasher.hash(&request.new).await?;
        let change = PasswordChange {
            user,
            session,
            epoch: credentials.user.epoch,
            hash,
            at: self.clock.now(),
        };
        let PasswordOutcome::Changed(epoch) = self.users.change_password(&change).await? else {
            // Either this session is over, which the client should hear, or somebody else changed the account.
            self.authenticate.execute(id_token).await?;
            return Err(ChangePasswordError::Conflict);
        };
        let kept = Some(session);
        self.clear
            .execute(Clearing::Older { user, epoch, kept })
            .await;
        self.events
            .record(SecurityEvent::PasswordChanged { user, session });
        self.events.record(SecurityEvent::SessionsEnded {
            user,
            kept,
            reason: EndReason::PasswordChanged,
        });
        Ok(())
    }

    async fn judge(
        &self,
        user: UserId,
        current: &Password,
    ) -> Result<Credentials, ChangePasswordError> {
        let credentials = self
            .users
            .credentials(user)
            .await?
            .ok_or(Refused::from(Refusal::SessionRevoked))?;
        match self.hasher.check(current, Some(&credentials.hash)).await? {
            PasswordCheck::Match { .. } => Ok(credentials),
            PasswordCheck::Mismatch => Err(ChangePasswordError::WrongPassword),
        }
    }
}

impl From<StoreError> for ChangePasswordError {
    fn from(error: StoreError) -> Self {
        Self::Refused(Refused::Failed(Failure::Store(error)))
    }
}
