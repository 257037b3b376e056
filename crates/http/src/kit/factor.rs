//! Factors on the wire: how they are shown, what begins a ceremony of WebAuthn, and why a factor is refused.

use crate::kit::{
    body::Body,
    openapi::{Member, Operation, example, label, schema_of},
    problem::Problem,
};
use actix_web::http::StatusCode;
use revolve_domain::{
    model::{ChallengeId, FieldError, Label, OneTimeCode, Passkey, RecoveryCode},
    use_cases::{PasskeyChallenge, ShownFactor},
};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::{
    ToSchema,
    openapi::{SchemaFormat, Type, schema::ObjectBuilder},
};
use uuid::uuid;

/// The longest code of an app in bytes, with its spaces.
const MAX_CODE: usize = 32;
/// The longest recovery code in bytes, with what stands between its groups.
const MAX_RECOVERY_CODE: usize = 64;

/// A ceremony of WebAuthn has begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeyChallenge)]
pub(crate) struct ChallengeAnswer<'a> {
    /// What to send back beside the credential.
    #[schema(value_type = String, format = "uuid")]
    challenge: ChallengeId,
    /// What the browser is asked with, in the form for `parseCreationOptionsFromJSON()` or `parseRequestOptionsFromJSON()` (WebAuthn Level 3 §5.1.8).
    #[schema(value_type = Object)]
    public_key: &'a Value,
    /// The seconds until the challenge can't be used any more.
    #[schema(minimum = 1)]
    expires_in: u64,
}

impl<'a> From<&'a PasskeyChallenge> for ChallengeAnswer<'a> {
    fn from(begun: &'a PasskeyChallenge) -> Self {
        Self {
            challenge: begun.challenge,
            public_key: &begun.public_key,
            expires_in: begun.expires_in.as_secs(),
        }
    }
}

/// Reads `challenge`.
pub(crate) fn challenge(body: &mut Body) -> Option<ChallengeId> {
    body.required("challenge", |text| {
        text.trim().parse().map_err(|_| FieldError::InvalidId)
    })
}

/// Reads `credential`. Whether it is one is seen when it is verified.
pub(crate) fn credential(body: &mut Body) -> Option<Value> {
    if !body.has("credential") {
        body.refuse("credential", "missing", "is needed");
        return None;
    }
    body.object("credential")
}

/// Reads the name of a passkey.
pub(crate) fn passkey_name(text: &str) -> Result<Label, FieldError> {
    let name = Label::parse(text)?;
    if name.as_str().chars().count() > Passkey::NAME_MAX {
        return Err(FieldError::TooLong {
            max: Passkey::NAME_MAX,
        });
    }
    Ok(name)
}

/// Reads one of `totp`, `recoveryCode` and `credential`; `None` also if there is none of them, which is no mistake yet.
pub(crate) fn shown(body: &mut Body) -> Option<ShownFactor> {
    let totp = body.optional_secret("totp", one_time_code);
    let recovery_code = body.optional_secret("recoveryCode", recovery_code);
    let credential = body.object("credential");
    let factors = [
        ("totp", totp.map(ShownFactor::Totp)),
        ("recoveryCode", recovery_code.map(ShownFactor::RecoveryCode)),
        ("credential", credential.map(ShownFactor::Passkey)),
    ];
    let mut first = None;
    for (name, factor) in factors {
        if first.is_none() {
            first = factor;
        } else if factor.is_some() {
            body.refuse(name, "unknown_field", "is not known beside another factor");
        }
    }
    first
}

/// Six digits of an authenticator app.
pub(crate) fn one_time_code(text: &SecretString) -> Result<OneTimeCode, FieldError> {
    OneTimeCode::parse(text).ok_or(FieldError::InvalidOneTimeCode)
}

fn recovery_code(text: &SecretString) -> Result<RecoveryCode, FieldError> {
    RecoveryCode::parse(text).ok_or(FieldError::InvalidRecoveryCode)
}

/// 410: a challenge that is over, or another client's.
pub(crate) fn challenge_gone() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "challenge_gone",
        "The challenge is spent, expired or unknown; begin again.",
    )
}

/// 422: nothing else is said.
pub(crate) fn credential_refused() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "credential_refused",
        "The passkey was refused.",
    )
}

/// The challenge of the examples.
pub(crate) const CHALLENGE: &str = "7c2f9e0a-51d8-4b3e-a6f4-0d9c8b7a6e51";

/// The member `challenge`.
pub(crate) fn challenge_member(description: &str) -> Member {
    Member::required("challenge", challenge_schema(description))
}

pub(crate) fn challenge_schema(description: &str) -> ObjectBuilder {
    text(&format!("{description} `invalid_id`"), CHALLENGE)
        .format(Some(SchemaFormat::Custom("uuid".into())))
        .max_length(Some(36))
}

/// The member of a code of an app.
pub(crate) fn totp_schema() -> ObjectBuilder {
    let description =
        "The six digits that the authenticator app shows; spaces do not count. `invalid_code`";
    text(description, "204 816").max_length(Some(MAX_CODE))
}

/// The member of a recovery code.
pub(crate) fn recovery_code_schema() -> ObjectBuilder {
    let description = "A recovery code: 16 letters and digits; case, spaces and hyphens do not count. `invalid_code`";
    text(description, "7Q2M-X0HD-93VK-ZT4P").max_length(Some(MAX_RECOVERY_CODE))
}

/// The name of a passkey.
pub(crate) fn passkey_name_schema(description: &str) -> ObjectBuilder {
    label(description, "Ann's phone").max_length(Some(Passkey::NAME_MAX))
}

/// The member `credential`; `kind` is the dictionary of the specification.
pub(crate) fn credential_member(kind: &str) -> Member {
    Member::of("credential", schema_of(credential_schema(kind)))
}

/// The same where it must be there.
pub(crate) fn required_credential(kind: &str) -> Member {
    credential_member(kind).and_required()
}

pub(crate) fn credential_schema(kind: &str) -> Value {
    json!({
        "type": "object",
        "description": format!("What the authenticator has made, by `toJSON()`: `{kind}` (WebAuthn Level 3 §5.1.8)."),
        "additionalProperties": true,
    })
}

/// What an authenticator makes for a registration, cut short.
pub(crate) fn registration_example() -> Value {
    json!({
        "id": "rXzLkJ0VQ2m8Wq3dT1uYpA", "rawId": "rXzLkJ0VQ2m8Wq3dT1uYpA", "type": "public-key", "clientExtensionResults": {},
        "response": { "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2NmbXRkbm9uZQ" },
    })
}

/// What an authenticator makes for a sign-in, cut short.
pub(crate) fn assertion_example() -> Value {
    json!({
        "id": "rXzLkJ0VQ2m8Wq3dT1uYpA", "rawId": "rXzLkJ0VQ2m8Wq3dT1uYpA", "type": "public-key", "clientExtensionResults": {},
        "response": {
            "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4",
            "signature": "MEUCIQDxw3kQ", "userHandle": "Xw0sHoo8TxuenUwhAZp8Dg",
        },
    })
}

/// The dictionaries of the specification.
pub(crate) const REGISTRATION: &str = "RegistrationResponseJSON";
pub(crate) const ASSERTION: &str = "AuthenticationResponseJSON";

/// Describes the answer of an operation that begins a registration.
pub(crate) fn creation_docs(operation: Operation) -> Operation {
    let options = json!({
        "rp": { "id": "example.org", "name": "Example" },
        "user": { "id": "Xw0sHoo8TxuenUwhAZp8Dg", "name": "ann@example.org", "displayName": "Ann" },
        "challenge": "q2m8Wq3dT1uYpArXzLkJ0VQ2m8Wq3dT1uYpArXzLkJ0",
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }, { "type": "public-key", "alg": -8 }, { "type": "public-key", "alg": -257 }],
        "timeout": 300_000,
        "excludeCredentials": [],
        "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
        "attestation": "none",
    });
    challenge_docs(operation, &options)
}

/// Describes the answer of an operation that begins a sign-in.
pub(crate) fn request_docs(operation: Operation) -> Operation {
    challenge_docs(operation, &request_example())
}

pub(crate) fn request_example() -> Value {
    json!({
        "challenge": "q2m8Wq3dT1uYpArXzLkJ0VQ2m8Wq3dT1uYpArXzLkJ0", "timeout": 300_000, "rpId": "example.org",
        "allowCredentials": [], "userVerification": "required",
    })
}

/// The id of the challenge of the examples.
pub(crate) const CHALLENGE_ID: ChallengeId =
    ChallengeId::from_uuid(uuid!("7c2f9e0a-51d8-4b3e-a6f4-0d9c8b7a6e51"));

fn challenge_docs(operation: Operation, public_key: &Value) -> Operation {
    let answer = ChallengeAnswer {
        challenge: CHALLENGE_ID,
        public_key,
        expires_in: Duration::from_mins(5).as_secs(),
    };
    operation.json::<ChallengeAnswer<'_>, 1>(
        200,
        "The challenge.",
        [("For the browser", example(&answer))],
    )
}

fn text(description: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .examples([example])
}
