//! What sign-up and sign-in have in common: the shape of a new session and its answer.

use crate::{
    model::{
        ClientInfo, DeviceId, EmailAddress, Epoch, Generation, Label, Password, Session, SessionId,
        UserId,
    },
    policy::SessionPolicy,
    ports::{Clock, DeviceCredentials, Entropy, NewLiveSession},
    rotation::LiveToken,
    use_cases::parts::TokenPair,
};
use secrecy::SecretString;

/// A request to sign up or to sign in.
#[derive(Clone, Debug)]
pub struct SignInRequest {
    /// The address.
    pub email: EmailAddress,
    /// The password.
    pub password: Password,
    /// What the user calls the device.
    pub device_name: Option<Label>,
    /// The device credential that the client holds, if any. A forged or foreign one is ignored here.
    pub device_credential: Option<SecretString>,
    /// Where the request came from.
    pub client: ClientInfo,
}

/// The device that a sign-in was made on.
#[derive(Clone, Debug)]
pub struct IssuedDevice {
    /// Its id.
    pub id: DeviceId,
    /// What the client shows from now on.
    pub credential: SecretString,
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
    /// The sessions that had to go because there were too many.
    pub evicted: Vec<SessionId>,
}

/// Forms new sessions.
pub(super) struct Opening<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) devices: &'a dyn DeviceCredentials,
    pub(super) policy: &'a SessionPolicy,
}

/// A session that is not stored yet.
pub(super) struct Formed {
    pub(super) session: Session,
    pub(super) live: NewLiveSession,
    pub(super) device: IssuedDevice,
}

impl Opening<'_> {
    /// A client that shows a credential of ours keeps its device and is bound to it; any other gets a new device.
    pub(super) fn form(&self, user: UserId, epoch: Epoch, request: &SignInRequest) -> Formed {
        let now = self.clock.now().whole_second();
        let known = request
            .device_credential
            .as_ref()
            .and_then(|credential| self.devices.verify(credential));
        let device = known.unwrap_or_else(|| DeviceId::from_random(self.entropy.bytes()));
        let ends_at = now.plus(self.policy.session_lifetime).whole_second();
        let session = Session {
            id: SessionId::from_random(self.entropy.bytes()),
            user,
            device,
            device_name: request.device_name.clone(),
            client: request.client.clone(),
            epoch,
            began_at: now,
            ends_at,
            bound_at: known.map(|_| now),
            ending: None,
        };
        let token = LiveToken {
            generation: Generation::FIRST,
            issued_at: now,
            expires_at: self.policy.refresh_expiry(now, ends_at).whole_second(),
            device: known,
        };
        let live = NewLiveSession {
            user,
            session: session.id,
            token,
            epoch,
            ceiling: self.policy.white_list_ceiling(),
        };
        let device = IssuedDevice {
            id: device,
            credential: self.devices.issue(device),
        };
        Formed {
            session,
            live,
            device,
        }
    }
}
