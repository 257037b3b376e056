//! A change of password: the caller's session continues, all others end.

use super::{
    current_password::CurrentPassword, password_context::PasswordContext,
    reauthentication::Reauthentication,
};
use crate::{
    model::{EndReason, FieldError, Password},
    ports::{
        Clock, PasswordChange, PasswordHasher, PasswordOutcome, PasswordStrength, SecurityEvent,
        SecurityEvents, StoreError, UserRepository,
    },
    use_cases::{
        parts::{Failure, Refused, ServicePorts, from_via},
        sessions::{Authenticate, Caller, End},
    },
};
use std::sync::Arc;

/// A request to change the password.
#[derive(Clone, Debug)]
pub struct ChangePasswordRequest {
    /// The current password; needed if the caller shows no reauthentication. One that is given is checked in any case.
    pub current: Option<Password>,
    /// The new password.
    pub new: Password,
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
    /// There is neither the current password nor a reauthentication that counts.
    #[error("reauthenticate first, or give the current password")]
    ReauthenticationRequired,
    /// The new password is easy to guess.
    #[error("the new password {0}")]
    WeakPassword(FieldError),
    /// Another change of the account's password or sessions came first.
    #[error("the account was changed at the same time; look again and retry")]
    Conflict,
}

from_via!(ChangePasswordError: StoreError => Refused, Failure => Refused);

/// Changes the password.
pub struct ChangePassword {
    authenticate: Authenticate,
    current: CurrentPassword,
    reauthentication: Reauthentication,
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
            reauthentication: Reauthentication::new(ports),
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
        caller: &Caller,
        request: ChangePasswordRequest,
    ) -> Result<(), ChangePasswordError> {
        let asking = self.authenticate.on_device(caller).await?;
        if request.current.is_none()
            && self
                .reauthentication
                .shown(caller, &asking)
                .await?
                .is_none()
        {
            return Err(ChangePasswordError::ReauthenticationRequired);
        }
        let held = self.current.admit(&asking, &caller.client).await?;
        let (user, session) = (asking.user.id, asking.session.id);
        let context = PasswordContext {
            email: &asking.user.email,
            name: asking.user.details.name.as_ref(),
            device: asking.session.device_name.as_ref(),
        };
        let judged = context.weakness(&held.flow, &request.new, &*self.strength);
        match judged.await {
            Ok(None) => {}
            // The attempt counts: a judgement is work that one session must not cause without limit.
            Ok(Some(weakness)) => return Err(ChangePasswordError::WeakPassword(weakness)),
            Err(error) => {
                self.current.give_back(held).await;
                return Err(error.into());
            }
        }
        let flow = held.flow.clone();
        // The epoch of the password that was shown, now or by the reauthentication: a change that came between is a conflict.
        let epoch = if let Some(current) = &request.current {
            let checked = self.current.check(held, user, current).await?;
            checked
                .ok_or(ChangePasswordError::WrongPassword)?
                .user
                .epoch
        } else {
            self.current.give_back(held).await;
            asking.user.epoch
        };
        let hash = self.hasher.hash(&flow, &request.new).await?;
        let change = PasswordChange {
            user,
            session,
            epoch,
            hash,
            at: self.clock.now(),
        };
        let PasswordOutcome::Changed(epoch) = self.users.change_password(&change).await? else {
            // Either this session has ended, which is reported first, or another request changed the account.
            self.authenticate.execute(&caller.id_token).await?;
            return Err(ChangePasswordError::Conflict);
        };
        self.events
            .record(SecurityEvent::PasswordChanged { user, session });
        let reason = EndReason::PasswordChanged;
        self.end.older(user, epoch, Some(session), reason).await;
        Ok(())
    }
}
