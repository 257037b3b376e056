//! Authentication by ID token, and by the device of a session that is bound.

use crate::{
    model::{ClientInfo, EndReason, Session, SessionId, Standing, Timestamp, User, UserId},
    policy::{AccountPolicy, RequireFactor},
    ports::{
        Clock, DeviceCredentials, SecurityEvent, SecurityEvents, SessionRepository, TokenCodec,
    },
    use_cases::parts::{
        Refusal, Refused, ServicePorts, ShownDevices, verify_id, verify_refresh, verify_set_up,
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// What a call of the account API shows of its caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The ID token.
    pub id_token: SecretString,
    /// The device credentials, if any. The calls of a bound session need that of its device.
    pub device_credentials: Vec<SecretString>,
    /// The reauthentication, if any: what [`crate::use_cases::Reauthenticate`] answered.
    pub reauthentication: Option<SecretString>,
    /// Where the call came from.
    pub client: ClientInfo,
}

/// The caller, whose token is valid and whose session is live.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The account.
    pub user: User,
    /// The session.
    pub session: Session,
}

/// Checks ID tokens against the sessions' rows, so that an ended session is refused at once, without the white list.
#[derive(Clone)]
pub struct Authenticate {
    codec: Arc<dyn TokenCodec>,
    devices: Arc<dyn DeviceCredentials>,
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    events: Arc<dyn SecurityEvents>,
    rules: AccountPolicy,
}

impl Authenticate {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            devices: ports.devices.clone(),
            sessions: ports.sessions.clone(),
            clock: ports.clock.clone(),
            events: ports.events.clone(),
            rules: ports.accounts,
        }
    }

    /// Verifies the token and reads session and user. Every service that a user visits is shown the ID token, so it alone is enough
    /// only to read the account and to end its own session.
    ///
    /// # Errors
    /// [`Refused::Token`] with the reason, or [`Refused::Failed`] if the user database did not answer.
    pub async fn execute(&self, id_token: &SecretString) -> Result<Authenticated, Refused> {
        let now = self.clock.now();
        let claims = match verify_id(&*self.codec, id_token, now).await {
            Err(Refused::Token(Refusal::TokenInvalid))
                if self.rules.require_factor == RequireFactor::Always =>
            {
                verify_set_up(&*self.codec, id_token, now).await?
            }
            verified => verified?,
        };
        self.live(claims.user, claims.session, now).await
    }

    /// The same for other programs and services: what stands in the place of an ID token while a factor must be set up is none.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn by_id_token(&self, id_token: &SecretString) -> Result<Authenticated, Refused> {
        let now = self.clock.now();
        let claims = verify_id(&*self.codec, id_token, now).await?;
        self.live(claims.user, claims.session, now).await
    }

    /// The same by a refresh token, which is not used up. It may be of any generation that has not expired, so it is enough only to end its own
    /// session.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub(crate) async fn by_refresh_token(
        &self,
        token: &SecretString,
    ) -> Result<Authenticated, Refused> {
        let now = self.clock.now();
        let claims = verify_refresh(&*self.codec, token).await?;
        if now >= claims.expires_at {
            return Err(Refusal::TokenExpired.into());
        }
        self.live(claims.user, claims.session, now).await
    }

    /// Whether the account of a refresh token, of any generation, is deleted: whoever holds it need not be asked to sign in. No, if that can't be
    /// found out.
    pub async fn is_of_deleted_account(&self, token: &SecretString) -> bool {
        let Ok(claims) = verify_refresh(&*self.codec, token).await else {
            return false;
        };
        let found = self.sessions.find(claims.user, claims.session).await;
        let now = self.clock.now();
        matches!(
            found.ok().flatten().map(|record| record.standing(now)),
            Some(Standing::AccountGone | Standing::Ended(EndReason::AccountDeleted))
        )
    }

    async fn live(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Authenticated, Refused> {
        let record = self
            .sessions
            .find(user, session)
            .await?
            .ok_or(Refusal::SessionUnknown)?;
        match (Refusal::of(record.standing(now)), record.user) {
            (None, Some(user)) => Ok(Authenticated {
                user,
                session: record.session,
            }),
            (refusal, _) => Err(refusal.unwrap_or(Refusal::SessionRevoked).into()),
        }
    }

    /// The same, and checks the device, and that the account need not set up a factor first.
    ///
    /// # Errors
    /// As [`Self::to_set_up`], or [`Refused::FactorSetUpRequired`].
    pub(crate) async fn on_device(&self, caller: &Caller) -> Result<Authenticated, Refused> {
        let authenticated = self.to_set_up(caller).await?;
        if self.rules.needs_set_up(&authenticated.user) {
            return Err(Refused::FactorSetUpRequired);
        }
        Ok(authenticated)
    }

    /// Verifies the token and checks the device: for what a session can do that has to set up a factor first.
    ///
    /// # Errors
    /// As [`Self::execute`] and [`Self::check_device`].
    pub(crate) async fn to_set_up(&self, caller: &Caller) -> Result<Authenticated, Refused> {
        let authenticated = self.execute(&caller.id_token).await?;
        self.check_device(&authenticated.session, caller)?;
        Ok(authenticated)
    }

    /// Checks that the caller of a bound session shows its device's credential.
    ///
    /// # Errors
    /// [`Refusal::DeviceMismatch`].
    pub(crate) fn check_device(&self, session: &Session, caller: &Caller) -> Result<(), Refusal> {
        let is_shown = || {
            ShownDevices::verify(&*self.devices, &caller.device_credentials)
                .find(session.device)
                .is_some()
        };
        if session.bound_at.is_none() || is_shown() {
            return Ok(());
        }
        self.events.record(SecurityEvent::DeviceMismatch {
            user: session.user,
            session: session.id,
            address: caller.client.address,
        });
        Err(Refusal::DeviceMismatch)
    }
}
