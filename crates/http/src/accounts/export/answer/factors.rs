//! The factors of an account and its challenges, without what is secret of them.

use crate::kit::answer::{Instant, sample};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::model::{
    AccountFactors, AuthMethods, Challenge, ChallengeKind, DeviceId, Label, Passkey, PasskeyId,
    PendingReset, RecoveryCode, RecoveryCodes, SessionId, Totp, TotpStep, Transports,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::{Uuid, uuid};

/// What proves who the user is besides a password.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportedFactors<'a> {
    /// The authenticator app, without its secret.
    #[schema(required = true)]
    totp: Option<ExportedTotp>,
    /// The oldest first, without their public keys.
    passkeys: Vec<ExportedPasskey<'a>>,
    /// The recovery codes; they themselves are not stored.
    #[schema(required = true)]
    recovery_codes: Option<ExportedCodes>,
    /// The reset of all factors that an operator has ordered.
    #[schema(required = true)]
    reset: Option<ExportedReset>,
}

/// An authenticator app.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedTotp {
    created_at: Instant,
    /// Since when it counts.
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    confirmed_at: Option<Instant>,
    /// Of which time step (RFC 6238) the last code was.
    #[schema(required = true)]
    last_step: Option<u64>,
}

/// A passkey.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedPasskey<'a> {
    #[schema(value_type = String, format = "uuid")]
    id: PasskeyId,
    name: &'a str,
    /// The id that its authenticator has chosen, in base64url.
    credential_id: String,
    /// The algorithm of its signatures (COSE).
    algorithm: i32,
    /// The model of its authenticator; all zeros where that does not say.
    #[schema(value_type = String, format = "uuid")]
    aaguid: Uuid,
    /// The signature counter that was shown last.
    counter: u32,
    /// Whether it may be copied to other devices of the user, and was.
    backup_eligible: bool,
    backed_up: bool,
    /// How its authenticator can be reached (`AuthenticatorTransport`, WebAuthn).
    transports: Vec<&'static str>,
    created_at: Instant,
    #[schema(value_type = Option<String>, required = true, format = DateTime)]
    used_at: Option<Instant>,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedCodes {
    /// How many were not used yet.
    left: usize,
    created_at: Instant,
}

/// A reset that waits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedReset {
    ordered_at: Instant,
    /// From when on it counts, unless the owner stops it.
    due_at: Instant,
}

/// A sign-in or a ceremony of a passkey that waits for its second half.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportedChallenge<'a> {
    /// What it is for.
    kind: &'static str,
    /// The session that asks, unless it is a sign-in.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    session: Option<SessionId>,
    /// The device that is signed in on, and whether it was known before.
    #[schema(value_type = Option<String>, required = true, format = "uuid")]
    device: Option<DeviceId>,
    #[schema(required = true)]
    device_known: Option<bool>,
    /// What the sign-in calls the device.
    #[schema(required = true)]
    device_name: Option<&'a str>,
    /// What was proved already (RFC 8176).
    proved: Vec<&'static str>,
    created_at: Instant,
    expires_at: Instant,
    /// How often something can still be tried.
    attempts_left: u32,
}

impl<'a> From<&'a AccountFactors> for ExportedFactors<'a> {
    fn from(factors: &'a AccountFactors) -> Self {
        Self {
            totp: factors.totp.as_ref().map(ExportedTotp::from),
            passkeys: factors.passkeys.iter().map(ExportedPasskey::from).collect(),
            recovery_codes: factors.codes.as_ref().map(ExportedCodes::from),
            reset: factors.reset.as_ref().map(ExportedReset::from),
        }
    }
}

impl From<&Totp> for ExportedTotp {
    fn from(totp: &Totp) -> Self {
        Self {
            created_at: totp.created_at.into(),
            confirmed_at: totp.confirmed_at.map(Instant::from),
            last_step: totp.last_step.map(TotpStep::number),
        }
    }
}

impl<'a> From<&'a Passkey> for ExportedPasskey<'a> {
    fn from(passkey: &'a Passkey) -> Self {
        let credential = &passkey.credential;
        Self {
            id: passkey.id,
            name: passkey.name.as_str(),
            credential_id: URL_SAFE_NO_PAD.encode(credential.id.as_bytes()),
            algorithm: credential.algorithm,
            aaguid: credential.aaguid,
            counter: credential.counter,
            backup_eligible: credential.backup_eligible,
            backed_up: credential.backed_up,
            transports: credential.transports.names().collect(),
            created_at: passkey.created_at.into(),
            used_at: passkey.used_at.map(Instant::from),
        }
    }
}

impl From<&RecoveryCodes> for ExportedCodes {
    fn from(codes: &RecoveryCodes) -> Self {
        Self {
            left: codes.macs.len(),
            created_at: codes.created_at.into(),
        }
    }
}

impl From<&PendingReset> for ExportedReset {
    fn from(reset: &PendingReset) -> Self {
        Self {
            ordered_at: reset.ordered_at.into(),
            due_at: reset.due_at.into(),
        }
    }
}

impl<'a> From<&'a Challenge> for ExportedChallenge<'a> {
    /// Without its id, which opens a second step, and without the ceremony.
    fn from(challenge: &'a Challenge) -> Self {
        let (user, device) = (challenge.user, challenge.device);
        let proved = challenge.proved.map(AuthMethods::names);
        Self {
            kind: challenge.kind.as_str(),
            session: user.and_then(|user| user.session),
            device: device.map(|device| device.id),
            device_known: device.map(|device| device.is_known),
            device_name: challenge.device_name.as_ref().map(Label::as_str),
            proved: proved.into_iter().flatten().collect(),
            created_at: challenge.created_at.into(),
            expires_at: challenge.expires_at.into(),
            attempts_left: challenge.attempts_left,
        }
    }
}

impl ExportedFactors<'static> {
    /// As the documentation shows it.
    pub(super) fn sample() -> Self {
        Self {
            totp: Some(ExportedTotp {
                created_at: sample::later(-20, 0),
                confirmed_at: Some(sample::later(-20, 1)),
                last_step: Some(58_910_765),
            }),
            passkeys: vec![ExportedPasskey {
                id: PasskeyId::from_uuid(uuid!("3d6f0a9c-7b21-4e58-9c4d-1f0e8a2b5c73")),
                name: "Ann's phone",
                credential_id: "q2m8Zr1xT0KpV5uYw3sHbA".to_owned(),
                algorithm: -7,
                aaguid: Uuid::nil(),
                counter: 0,
                backup_eligible: true,
                backed_up: true,
                transports: Transports::named(["internal", "hybrid"]).names().collect(),
                created_at: sample::later(-10, 0),
                used_at: Some(sample::later(0, 0)),
            }],
            recovery_codes: Some(ExportedCodes {
                left: RecoveryCode::SET - 1,
                created_at: sample::later(-20, 1),
            }),
            reset: None,
        }
    }
}

impl ExportedChallenge<'static> {
    /// As the documentation shows it.
    pub(super) fn sample() -> Self {
        Self {
            kind: ChallengeKind::SecondStep.as_str(),
            session: None,
            device: Some(sample::DEVICE),
            device_known: Some(true),
            device_name: Some("Ann's phone"),
            proved: AuthMethods::PASSWORD.names().collect(),
            created_at: sample::later(0, 13),
            expires_at: sample::later(0, 18),
            attempts_left: Challenge::ATTEMPTS,
        }
    }
}
