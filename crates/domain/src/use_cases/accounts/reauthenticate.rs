//! The password or a factor once more, within a session: what is sensitive needs it.

use super::current_password::CurrentPassword;
use crate::{
    model::{AuthMethods, ChallengeId, FactorKind, Password, Timestamp},
    policy::SessionPolicy,
    ports::{
        Clock, ReauthenticationClaims, SecurityEvent, SecurityEvents, SignError, StoreError,
        TokenCodec,
    },
    use_cases::{
        factors::{PasskeyChallenge, SessionFactors, ShownFactor},
        parts::{Authentication, Mint, Refused, ServicePorts, from_via},
        sessions::{Authenticate, Authenticated, Caller},
    },
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};

/// What the caller gets for it.
#[derive(Clone, Debug)]
pub struct Reauthenticated {
    /// The reauthentication, which calls of this session show as [`Caller::reauthentication`].
    pub token: SecretString,
    /// How long it counts, in whole seconds.
    pub expires_in: Duration,
    /// An ID token of the session whose `auth_time` is now.
    pub id_token: SecretString,
    /// When the ID token expires.
    pub id_expires_at: Timestamp,
}

/// Why there is no reauthentication.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticateError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The current password is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The code of an authenticator app, or the recovery code, is wrong.
    #[error("the code is wrong")]
    WrongCode,
    /// The code counted before; a code counts once.
    #[error("the code was used before; wait for the next one")]
    CodeUsed,
    /// The passkey does not count, or the account has none; nothing says why.
    #[error("the passkey was refused")]
    CredentialRefused,
    /// The challenge of the passkey is spent, expired or unknown. Begin again.
    #[error("the challenge is spent, expired or unknown; begin again")]
    Gone,
    /// Nothing was shown.
    #[error("show the current password or a factor")]
    NothingShown,
    /// The account's password or sessions were changed while it was checked.
    #[error("the account was changed at the same time; look again and retry")]
    Conflict,
}

from_via!(ReauthenticateError: StoreError => Refused, SignError => Refused);

/// What the caller shows: at least one of the two. Both together are factors of two kinds.
#[derive(Debug, Default)]
pub struct ReauthenticateRequest {
    /// The current password.
    pub password: Option<Password>,
    /// A factor.
    pub factor: Option<ShownFactor>,
    /// The challenge of [`Reauthenticate::begin_passkey`], where the factor is a passkey.
    pub challenge: Option<ChallengeId>,
}

/// What a user can reauthenticate with.
#[derive(Clone, Debug, Default)]
pub struct ReauthenticationWays {
    /// Whether the account has a password.
    pub password: bool,
    /// The kinds of factor, in the order in which they should be offered.
    pub factors: Vec<FactorKind>,
}

/// Reauthenticates.
pub struct Reauthenticate {
    authenticate: Authenticate,
    current: CurrentPassword,
    codec: Arc<dyn TokenCodec>,
    mint: Mint,
    clock: Arc<dyn Clock>,
    events: Arc<dyn SecurityEvents>,
    factors: SessionFactors,
    policy: SessionPolicy,
}

impl Reauthenticate {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            current: CurrentPassword::new(ports),
            codec: ports.codec.clone(),
            mint: Mint::new(ports),
            clock: ports.clock.clone(),
            events: ports.events.clone(),
            factors: SessionFactors::new(ports),
            policy: ports.policy,
        }
    }

    /// What the caller can show.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn ways(&self, caller: &Caller) -> Result<ReauthenticationWays, Refused> {
        let asking = self.authenticate.to_set_up(caller).await?;
        Ok(ReauthenticationWays {
            password: self.current.exists(asking.user.id).await?,
            factors: self.factors.kinds(&asking).await?,
        })
    }

    /// Answers a challenge for a passkey of the caller's account.
    ///
    /// # Errors
    /// [`ReauthenticateError::Refused`], or [`ReauthenticateError::CredentialRefused`] if the account has no passkey.
    pub async fn begin_passkey(
        &self,
        caller: &Caller,
    ) -> Result<PasskeyChallenge, ReauthenticateError> {
        let asking = self.authenticate.to_set_up(caller).await?;
        self.factors.begin(&asking).await
    }

    /// Checks the password and answers a reauthentication of the caller's session: [`Self::by`] the password alone.
    ///
    /// # Errors
    /// [`ReauthenticateError`].
    pub async fn execute(
        &self,
        caller: &Caller,
        current: &Password,
    ) -> Result<Reauthenticated, ReauthenticateError> {
        let request = ReauthenticateRequest {
            password: Some(current.clone()),
            ..ReauthenticateRequest::default()
        };
        self.by(caller, request).await
    }

    /// Checks what is shown, all of it, and answers a reauthentication of the caller's session. It counts until it expires, the session ends or
    /// the account's epoch rises. A code or a challenge is spent in a commit of its own before the answer.
    ///
    /// # Errors
    /// [`ReauthenticateError`].
    pub async fn by(
        &self,
        caller: &Caller,
        request: ReauthenticateRequest,
    ) -> Result<Reauthenticated, ReauthenticateError> {
        let asking = self.authenticate.to_set_up(caller).await?;
        let ReauthenticateRequest {
            password,
            factor,
            challenge,
        } = request;
        let mut of_password = None;
        if let Some(password) = &password {
            let held = self.current.admit(&asking, &caller.client).await?;
            let checked = self.current.check(held, asking.user.id, password).await?;
            let credentials = checked.ok_or(ReauthenticateError::WrongPassword)?;
            of_password = Some(credentials.user.epoch);
        }
        let by_factor = match &factor {
            Some(factor) => {
                let (factors, client) = (&self.factors, &caller.client);
                Some(factors.show(&asking, client, factor, challenge).await?)
            }
            None => None,
        };
        let by = match (password, by_factor) {
            (Some(_), Some(factor)) => AuthMethods::PASSWORD.and_factor(factor),
            (Some(_), None) => AuthMethods::PASSWORD,
            (None, Some(factor)) => factor,
            (None, None) => return Err(ReauthenticateError::NothingShown),
        };
        // The session may have ended while the password waited for its turn.
        let Authenticated { user, session } = self.authenticate.to_set_up(caller).await?;
        // What was checked may not be the account's any more: then nothing may say that it was shown now.
        let of_factor = by_factor.map(|_| asking.user.epoch);
        let mut shown_in = of_password.into_iter().chain(of_factor);
        if shown_in.any(|epoch| epoch != user.epoch) {
            return Err(ReauthenticateError::Conflict);
        }
        let now = self.clock.now().whole_second();
        let expires_at = self
            .policy
            .reauthentication_expiry(now, session.ends_at)
            .whole_second();
        let token = self.codec.sign_reauthentication(&ReauthenticationClaims {
            user: user.id,
            session: session.id,
            // Of what was checked: once the password changes, the reauthentication counts for nothing.
            epoch: user.epoch,
            issued_at: now,
            expires_at,
        })?;
        let shown = Authentication { at: now, by };
        let (id_token, id_expires_at) = self.mint.id_token(&user, &session, shown, now)?;
        self.events.record(SecurityEvent::SessionReauthenticated {
            user: user.id,
            session: session.id,
            address: caller.client.address,
        });
        Ok(Reauthenticated {
            token,
            expires_in: expires_at.since(now),
            id_token,
            id_expires_at,
        })
    }
}
