//! A change of password: the caller's session continues, all others end.

use super::{current_password::CurrentPassword, password_context::PasswordContext};
use crate::{
    model::{ClientInfo, EndReason, FieldError, Password},
    ports::{
        Clock, PasswordChange, PasswordHasher, PasswordOutcome, PasswordStrength, SecurityEvent,
        SecurityEvents, StoreError, UserRepository,
    },
    use_cases::{
        parts::{Refused, ServicePorts, from_via},
        sessions::{Authenticate, End},
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// A request to change the password.
#[derive(Clone, Debug)]
pub struct ChangePasswordRequest {
    /// The current password.
    pub current: Password,
    /// The new password.
    pub new: Password,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why the password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The current password is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The new password is easy to guess.
    #[error("the new password {0}")]
    WeakPassword(FieldError),
    /// Another change of the account's password or sessions came first.
    #[error("the account was changed at the same time; look again and retry")]
    Conflict,
}

from_via!(ChangePasswordError: StoreError => Refused);

/// Changes the password.
pub struct ChangePassword {
    authenticate: Authenticate,
    current: CurrentPassword,
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    end: End,
    clock: Arc<dyn Clock>,
    events: Arc<dyn SecurityEvents>,
}

impl ChangePassword {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            current: CurrentPassword::new(ports),
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            strength: ports.strength.clone(),
            end: End::new(ports),
            clock: ports.clock.clone(),
            events: ports.events.clone(),
        }
    }

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
        let held = self.current.admit(&caller, &request.client).await?;
        let (user, session) = (caller.user.id, caller.session.id);
        let context = PasswordContext {
            email: &caller.user.email,
            name: caller.user.details.name.as_ref(),
            device: caller.session.device_name.as_ref(),
        };
        match context.weakness(&request.new, &*self.strength).await {
            Ok(None) => {}
            // The attempt counts: a judgement is work that one session must not cause without limit.
            Ok(Some(weakness)) => return Err(ChangePasswordError::WeakPassword(weakness)),
            Err(error) => {
                self.current.give_back(held).await;
                return Err(error.into());
            }
        }
        let flow = held.flow.clone();
        let credentials = self
            .current
            .check(held, user, &request.current)
            .await?
            .ok_or(ChangePasswordError::WrongPassword)?;
        let hash = self.hasher.hash(&flow, &request.new).await?;
        let change = PasswordChange {
            user,
            session,
            epoch: credentials.user.epoch,
            hash,
            at: self.clock.now(),
        };
        let PasswordOutcome::Changed(epoch) = self.users.change_password(&change).await? else {
            // Either this session has ended, which is reported first, or another request changed the account.
            self.authenticate.execute(id_token).await?;
            return Err(ChangePasswordError::Conflict);
        };
        self.events
            .record(SecurityEvent::PasswordChanged { user, session });
        let reason = EndReason::PasswordChanged;
        self.end.older(user, epoch, Some(session), reason).await;
        Ok(())
    }
}
