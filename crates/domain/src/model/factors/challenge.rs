//! Steps that wait for their second half.

use crate::model::{
    AuthMethods, ChallengeId, DeviceId, Epoch, Label, SessionId, Timestamp, UserId,
};
use std::{fmt, time::Duration};

/// What the library keeps between the two halves of a ceremony: above all the challenge. It is kept in a row and never shown to a client.
#[derive(Clone, PartialEq, Eq)]
pub struct CeremonyState(Vec<u8>);

impl CeremonyState {
    /// The greatest number of bytes: room for the ids of all passkeys of an account, if the library needs them there.
    pub const MAX: usize = 32 << 10;

    /// `None` if it is too long.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= Self::MAX).then_some(Self(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CeremonyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CeremonyState({} bytes)", self.0.len())
    }
}

/// What a challenge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChallengeKind {
    /// The second step of a sign-in: it has an account, a device and what was proved.
    SecondStep,
    /// A sign-in with a passkey, without a user name: it has no account.
    PasskeySignIn,
    /// The registration of a passkey in a session.
    Registration,
    /// The registration of a passkey for an account that is only to be made. Its id is in the challenge, and no account has it.
    SignUp,
    /// A passkey for a reauthentication of a session.
    Reauthentication,
}

impl ChallengeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::SecondStep,
        Self::PasskeySignIn,
        Self::Registration,
        Self::SignUp,
        Self::Reauthentication,
    ];

    /// The stable name, which stores keep.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondStep => "second_step",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::Registration => "registration",
            Self::SignUp => "sign_up",
            Self::Reauthentication => "reauthentication",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The account of a challenge, and what of it the challenge is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengedUser {
    /// The account.
    pub id: UserId,
    /// Its epoch: a raise of it voids the challenge.
    pub epoch: Epoch,
    /// The session that asks, for a registration or a reauthentication.
    pub session: Option<SessionId>,
}

/// The device of a second step. Its client has its credential since the first step, and shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengedDevice {
    /// Its id, which is that of the session.
    pub id: DeviceId,
    /// Whether the user had signed in on it before, and it was current, when the challenge was opened.
    pub is_known: bool,
}

/// A challenge that is open: neither spent nor void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Its id: 122 random bits. Who has it has what the first half answered.
    pub id: ChallengeId,
    /// What it is for.
    pub kind: ChallengeKind,
    /// The account; `None` for [`ChallengeKind::PasskeySignIn`].
    pub user: Option<ChallengedUser>,
    /// The device of a second step.
    pub device: Option<ChallengedDevice>,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// What was proved already, for a second step.
    pub proved: Option<AuthMethods>,
    /// The state of the WebAuthn ceremony, if there is one.
    pub ceremony: Option<CeremonyState>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// From when on it can't be used.
    pub expires_at: Timestamp,
    /// How often something can still be tried.
    pub attempts_left: u32,
}

impl Challenge {
    /// How often something can be tried.
    pub const ATTEMPTS: u32 = 5;

    /// How long a challenge can be used.
    pub const LIFETIME: Duration = Duration::from_mins(5);

    /// The most open challenges of one scope: the oldest over it go.
    pub const MOST: usize = 4;

    /// Among which challenges it makes others void: those of the same known device, or of the same session. `None` if it voids none: a second step
    /// on any other device. Whoever opens these has proved the password or the mailbox each time, and so may the owner have: none may void
    /// that of another. They are no more than the sign-ins of their five minutes.
    pub fn scope(&self) -> Option<String> {
        let user = self.user?;
        let device = self.device.filter(|device| device.is_known);
        let own = device.map(|device| device.id.to_string());
        let own = own.or_else(|| user.session.map(|session| session.to_string()))?;
        Some(format!("{} {} {own}", self.kind.as_str(), user.id))
    }
}
