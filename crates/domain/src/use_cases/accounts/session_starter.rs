//! The steps that a sign-up and a sign-in share: a new session, its first tokens and its entry in the white list.

use crate::{
    model::{
        AuthMethods, ClientInfo, DeviceId, EmailAddress, EndReason, Epoch, Generation, Label,
        Locale, Password, Session, SessionId, Timestamp, User, UserId,
    },
    policy::{AccountPolicy, SessionPolicy},
    ports::{
        Clearing, Clock, DeviceCredentials, Entropy, Factors, LiveSession, NewLiveSession, Proofs,
        SessionRepository, StoreError, TokenRepository,
    },
    rotation::LiveToken,
    use_cases::{
        factors::{SecondSteps, ShownRecoveryCodes},
        parts::{Failure, Mint, Recorder, ServicePorts, ShownDevices, TokenPair},
        sessions::Clear,
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// A request to sign up or to sign in.
#[derive(Clone, Debug)]
pub struct SignInRequest {
    /// The e-mail address of the account.
    pub email: EmailAddress,
    /// The password.
    pub password: Password,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The device credentials that the client holds. Those that were not issued here are ignored.
    pub device_credentials: Vec<SecretString>,
    /// What the browser keeps of an earlier request for a mail, for a sign-up whose mailbox has to be proved.
    pub proof_cookie: Option<SecretString>,
    /// The language of a new account's mails; a sign-in leaves it as it is.
    pub locale: Option<Locale>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// The device that a session began on.
#[derive(Clone, Debug)]
pub struct IssuedDevice {
    /// Its id.
    pub id: DeviceId,
    /// The credential that the client presents from now on.
    pub credential: SecretString,
    /// Other credentials that the client showed and may go on to need: those of other accounts in the same
    /// browser, and of the user's other sessions.
    pub others: Vec<SecretString>,
}

/// A session has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The session.
    pub session: Session,
    /// Its first tokens.
    pub tokens: TokenPair,
    /// Its device.
    pub device: IssuedDevice,
    /// The sessions that ended because the user had too many.
    pub evicted: Vec<SessionId>,
    /// The recovery codes of a new account with a passkey. They are shown once.
    pub recovery_codes: Option<ShownRecoveryCodes>,
}

/// Starts sessions, whatever was proved. A sign-in leaves all of it to [`begin`](Self::begin); what makes or recovers an account commits the session
/// with that.
pub(in crate::use_cases) struct SessionStarter {
    pub(in crate::use_cases) policy: SessionPolicy,
    pub(in crate::use_cases) clear: Clear,
    tokens: Arc<dyn TokenRepository>,
    devices: Arc<dyn DeviceCredentials>,
    pub(super) sessions: Arc<dyn SessionRepository>,
    pub(super) proofs: Arc<dyn Proofs>,
    pub(super) factors: Arc<dyn Factors>,
    pub(in crate::use_cases) second_steps: SecondSteps,
    pub(super) rules: AccountPolicy,
    pub(super) recorder: Recorder,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    mint: Mint,
}

/// A session that is about to begin.
pub(in crate::use_cases) struct NewSession<'a> {
    pub(in crate::use_cases) user: UserId,
    /// The user's epoch as it was read for the proof.
    pub(in crate::use_cases) epoch: Epoch,
    pub(in crate::use_cases) client: &'a ClientInfo,
    pub(in crate::use_cases) device_name: Option<Label>,
    /// The device that the client keeps.
    pub(in crate::use_cases) kept: Option<DeviceId>,
    /// Without one that it keeps: the device that was made for it in the step before, if there was one.
    pub(in crate::use_cases) made: Option<DeviceId>,
    pub(in crate::use_cases) authenticated_by: AuthMethods,
}

/// A session whose row is not committed yet.
pub(in crate::use_cases) struct PreparedSession {
    pub(in crate::use_cases) session: Session,
    /// When it was prepared; the session itself has whole seconds.
    pub(in crate::use_cases) at: Timestamp,
    live: NewLiveSession,
    pub(in crate::use_cases) credential: SecretString,
}

impl SessionStarter {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            policy: ports.policy,
            clear: Clear::new(ports),
            tokens: ports.tokens.clone(),
            devices: ports.devices.clone(),
            sessions: ports.sessions.clone(),
            proofs: ports.proofs.clone(),
            factors: ports.factors.store.clone(),
            second_steps: SecondSteps::new(ports),
            rules: ports.accounts,
            recorder: Recorder::new(ports),
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            mint: Mint::new(ports),
        }
    }

    /// The session is bound to the device that the client keeps; without one it gets a new device.
    pub(in crate::use_cases) fn prepare(&self, new: NewSession<'_>) -> PreparedSession {
        let NewSession {
            user, kept, made, ..
        } = new;
        let at = self.clock.now();
        let now = at.whole_second();
        let device = kept.or(made);
        let device = device.unwrap_or_else(|| DeviceId::from_random(self.entropy.bytes()));
        let ends_at = now.plus(self.policy.session_lifetime).whole_second();
        let session = Session {
            id: SessionId::from_random(self.entropy.bytes()),
            user,
            device,
            device_name: new.device_name,
            client: new.client.clone(),
            epoch: new.epoch,
            began_at: now,
            authenticated_by: new.authenticated_by,
            ends_at,
            bound_at: kept.map(|_| now),
            ending: None,
        };
        let token = LiveToken {
            generation: Generation::FIRST,
            issued_at: now,
            expires_at: self.policy.refresh_expiry(now, ends_at).whole_second(),
            device: kept,
        };
        let live = NewLiveSession {
            user,
            session: session.id,
            token,
            epoch: new.epoch,
            ceiling: self.policy.white_list_ceiling(),
        };
        PreparedSession {
            session,
            at,
            live,
            credential: self.devices.issue(device),
        }
    }

    /// The credentials of these devices.
    pub(in crate::use_cases) fn credentials(
        &self,
        devices: impl IntoIterator<Item = DeviceId>,
    ) -> Vec<SecretString> {
        let devices = devices.into_iter();
        devices.map(|device| self.devices.issue(device)).collect()
    }

    /// The devices whose credentials a client shows.
    pub(in crate::use_cases) fn shown(&self, credentials: &[SecretString]) -> ShownDevices {
        ShownDevices::verify(&*self.devices, credentials)
    }

    /// Signs the first tokens, writes the entry in the white list and answers the user's other live sessions. Tokens come
    /// first: a broken key must not leave anything behind.
    pub(in crate::use_cases) async fn white_list(
        &self,
        user: &User,
        prepared: &PreparedSession,
    ) -> Result<(TokenPair, Vec<LiveSession>), Failure> {
        let tokens = self
            .mint
            .pair(user, &prepared.session, &prepared.live.token)?;
        match self.tokens.begin(prepared.live).await {
            Ok(others) => Ok((tokens, others)),
            Err(error) => {
                // The entry may have been written all the same. A second call to a store that has just failed would only
                // delay the answer.
                self.clear.defer(prepared.clearing());
                Err(error.into())
            }
        }
    }

    /// After the commit: removes the entry of a session that has not begun. Where the answer was lost, the commit may have come through: a session
    /// that no client holds must not take a place.
    pub(in crate::use_cases) async fn withdraw_unless<O>(
        &self,
        prepared: &PreparedSession,
        outcome: &Result<O, StoreError>,
        has_begun: impl FnOnce(&O) -> bool,
    ) {
        if !outcome.as_ref().is_ok_and(has_begun) {
            self.withdraw(prepared).await;
        }
        if outcome.is_err() {
            self.clear.defer(Clearing::Row {
                user: prepared.session.user,
                session: prepared.session.id,
                reason: EndReason::Expired,
                cause: None,
                notice: None,
            });
        }
    }

    /// Removes the entry of a session whose row was not committed.
    async fn withdraw(&self, prepared: &PreparedSession) {
        self.clear.execute(prepared.clearing()).await;
    }
}

impl PreparedSession {
    fn clearing(&self) -> Clearing {
        Clearing::Sessions {
            user: self.session.user,
            sessions: vec![self.session.id],
        }
    }

    /// The answer, once the row is committed.
    pub(in crate::use_cases) fn begun(
        self,
        tokens: TokenPair,
        evicted: Vec<SessionId>,
        others: Vec<SecretString>,
    ) -> Begun {
        Begun {
            device: IssuedDevice {
                id: self.session.device,
                credential: self.credential,
                others,
            },
            session: self.session,
            tokens,
            evicted,
            recovery_codes: None,
        }
    }
}
