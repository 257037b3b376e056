//! Proofs that somebody reads a mailbox.

use super::{
    ApiKeyId, Credentials, DeviceId, EmailAddress, Epoch, Locale, PasswordHash, ProofId,
    SignUpIntent, Timestamp, UserId,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{fmt, time::Duration};
use subtle::ConstantTimeEq;

/// What a proof is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProofPurpose {
    /// Makes an account out of a sign-up.
    SignUp,
    /// Verifies the address of an account.
    VerifyEmail,
    /// Changes the address of an account.
    ChangeEmail,
    /// Sets a new password.
    ResetPassword,
    /// Begins a session.
    SignIn,
    /// Sets the first password, and verifies the address: by a mail that an operator has sent.
    Invitation,
    /// Sets a new password: by a link that an operator hands out.
    RecoveryLink,
    /// Restores the address that an account had before a change, and sets a new password.
    UndoEmail,
    /// Stops a reset of the account's factors that an operator has ordered.
    StopFactorReset,
}

impl ProofPurpose {
    /// Every purpose.
    pub const ALL: [Self; 9] = [
        Self::SignUp,
        Self::VerifyEmail,
        Self::ChangeEmail,
        Self::ResetPassword,
        Self::SignIn,
        Self::Invitation,
        Self::RecoveryLink,
        Self::UndoEmail,
        Self::StopFactorReset,
    ];

    /// The stable name, which stores keep.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::ResetPassword => "reset_password",
            Self::SignIn => "sign_in",
            Self::Invitation => "invitation",
            Self::RecoveryLink => "recovery_link",
            Self::UndoEmail => "undo_email",
            Self::StopFactorReset => "stop_factor_reset",
        }
    }

    /// The purpose of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }

    /// How long a proof can be used.
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::SignUp | Self::VerifyEmail => Duration::from_hours(24),
            Self::ChangeEmail | Self::RecoveryLink => Duration::from_hours(1),
            Self::ResetPassword => Duration::from_mins(15),
            Self::SignIn => Duration::from_mins(10),
            Self::Invitation | Self::UndoEmail => Duration::from_hours(3 * 24),
            // No reset may wait longer.
            Self::StopFactorReset => Duration::from_hours(7 * 24),
        }
    }

    /// Whether a proof of this purpose is shown where those of `asked` are: whatever sets a password is confirmed in one place.
    pub fn is_shown_as(self, asked: Self) -> bool {
        let sets_password = matches!(self, Self::Invitation | Self::RecoveryLink);
        self == asked || (sets_password && asked == Self::ResetPassword)
    }
}

/// The SHA-256 digest of what is not stored itself, such as a password hash, the secret of a key, or what names the client that asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// In the place of the client that asked, where its link counts on any: no text has this digest.
    pub const ANYBODY: Self = Self([0; 32]);

    /// Of a password hash.
    pub fn of_hash(hash: &PasswordHash) -> Self {
        Self::of("hash", hash.expose().as_bytes())
    }

    /// Of the secret that the browser keeps in a cookie.
    pub fn of_browser(secret: &str) -> Self {
        Self::of("browser", secret.as_bytes())
    }

    /// Of a device, for clients that show its credential.
    pub fn of_device(device: DeviceId) -> Self {
        Self::of("device", device.as_uuid().as_bytes())
    }

    /// Of the secret of an API key.
    pub(super) fn of_api_key(secret: &str) -> Self {
        Self::of("api key", secret.as_bytes())
    }

    /// Of a request that creates something: who sends it, and the name that it has there.
    pub fn of_request(api_key: ApiKeyId, name: &str) -> Self {
        let id = api_key.as_uuid().as_bytes();
        Self::of("request", &[id, name.as_bytes()].concat())
    }

    /// Of what a request asks for, by a secret of its sender: it may have a password, which nobody must be able to look for in a store.
    pub fn of_content(secret: &SecretString, content: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update("content\0")
            .chain_update(secret.expose_secret())
            .chain_update([0])
            .chain_update(content);
        Self(digest.finalize().into())
    }

    /// Whether they are the same, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// One that a store has.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(kind: &str, content: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(kind)
            .chain_update([0])
            .chain_update(content);
        Self(digest.finalize().into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// What of an account a proof is bound to: any change of it voids the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The session epoch.
    pub epoch: Epoch,
    /// The password hash.
    pub hash: Fingerprint,
    /// The key of the address.
    pub email: String,
}

impl Binding {
    /// The account as it is.
    pub fn of(account: &Credentials) -> Self {
        Self {
            epoch: account.user.epoch,
            hash: Fingerprint::of_hash(&account.hash),
            email: account.user.email.key().to_owned(),
        }
    }
}

/// A proof that has been asked for and is neither spent nor void.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Its id.
    pub id: ProofId,
    /// What it is for.
    pub purpose: ProofPurpose,
    /// The mailbox.
    pub address: EmailAddress,
    /// The account; `None` for a sign-up, and where there is none with that address.
    pub user: Option<UserId>,
    /// What of the account it is bound to besides; `None` binds it to the account alone.
    pub binding: Option<Binding>,
    /// The client that asked: its browser's secret or its device, or [`Fingerprint::ANYBODY`].
    pub asker: Fingerprint,
    /// What a sign-up signs in with.
    pub intent: Option<SignUpIntent>,
    /// The language of the mail, and of the account that a sign-up makes.
    pub locale: Option<Locale>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From when on it can't be used.
    pub expires_at: Timestamp,
    /// How many codes can still be tried.
    pub attempts_left: u32,
    /// How often its mail was asked for, from 1: each time it gets another code.
    pub serial: u32,
}

/// A proof as one of its mails has it. What was checked counts only as long as no other mail was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofVersion {
    /// The proof.
    pub id: ProofId,
    /// Its serial.
    pub serial: u32,
}

impl Proof {
    /// How many codes can be tried.
    pub const ATTEMPTS: u32 = 5;

    /// One that an operator has asked for. Its link counts on any client.
    pub fn by_operator(
        id: ProofId,
        purpose: ProofPurpose,
        account: &Credentials,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            purpose,
            address: account.user.email.clone(),
            user: Some(account.user.id),
            binding: Some(Binding::of(account)),
            asker: Fingerprint::ANYBODY,
            intent: None,
            locale: account.user.details.locale.clone(),
            created_at: now,
            expires_at: now.plus(purpose.lifetime()),
            attempts_left: Self::ATTEMPTS,
            serial: 1,
        }
    }

    /// The proof as its newest mail has it.
    pub const fn version(&self) -> ProofVersion {
        ProofVersion {
            id: self.id,
            serial: self.serial,
        }
    }

    /// Among which proofs it makes others void: those of the same scope.
    pub fn scope(&self) -> String {
        let purpose = self.purpose.as_str();
        let key = self.address.key();
        let user = self
            .user
            .as_ref()
            .map(UserId::to_string)
            .unwrap_or_default();
        match self.purpose {
            ProofPurpose::SignUp | ProofPurpose::ResetPassword | ProofPurpose::SignIn => {
                format!("{purpose} {key}")
            }
            ProofPurpose::VerifyEmail
            | ProofPurpose::ChangeEmail
            | ProofPurpose::Invitation
            | ProofPurpose::RecoveryLink
            | ProofPurpose::StopFactorReset => format!("{purpose} {user}"),
            // Not one for each account: a thief who changes the address twice must not void the owner's.
            ProofPurpose::UndoEmail => format!("{purpose} {user} {key}"),
        }
    }

    /// Whether it counts for the account as it is.
    pub fn holds(&self, account: &Credentials) -> bool {
        let is_bound = self
            .binding
            .as_ref()
            .is_none_or(|binding| *binding == Binding::of(account));
        self.user == Some(account.user.id) && account.user.disabled_at.is_none() && is_bound
    }
}
