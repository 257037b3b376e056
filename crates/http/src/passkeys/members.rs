//! A passkey as it is listed.

use crate::kit::answer::{Instant, sample};
use revolve_domain::model::{Passkey, PasskeyId, Transports};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::schema::{ArrayBuilder, ObjectBuilder},
};
use uuid::{Uuid, uuid};

/// A passkey of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Passkey)]
pub(crate) struct PasskeyMembers<'a> {
    /// Its id here, which is not that of the credential.
    #[schema(value_type = String, format = "uuid")]
    id: PasskeyId,
    /// What the user calls it.
    name: &'a str,
    /// The model of its authenticator (AAGUID); all zeros where that does not say.
    #[schema(value_type = String, format = "uuid")]
    aaguid: Uuid,
    /// Whether it may be copied to other devices of the user.
    backup_eligible: bool,
    /// Whether it was copied when it was used last.
    backed_up: bool,
    #[schema(schema_with = transports)]
    transports: Vec<&'static str>,
    /// When it was registered.
    created_at: Instant,
    /// When it was used last.
    #[schema(required = true)]
    used_at: Option<Instant>,
}

fn transports() -> ArrayBuilder {
    let transport = ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
    ArrayBuilder::new().items(transport).description(Some(
        "How its authenticator can be reached (`AuthenticatorTransport`, WebAuthn).",
    ))
}

impl<'a> From<&'a Passkey> for PasskeyMembers<'a> {
    fn from(passkey: &'a Passkey) -> Self {
        let credential = &passkey.credential;
        Self {
            id: passkey.id,
            name: passkey.name.as_str(),
            aaguid: credential.aaguid,
            backup_eligible: credential.backup_eligible,
            backed_up: credential.backed_up,
            transports: credential.transports.names().collect(),
            created_at: passkey.created_at.whole_second().into(),
            used_at: passkey.used_at.map(|at| at.whole_second().into()),
        }
    }
}

impl PasskeyMembers<'static> {
    pub(super) const ID: PasskeyId =
        PasskeyId::from_uuid(uuid!("3d6f0a9c-7b21-4e58-9c4d-1f0e8a2b5c73"));

    /// As the documentation shows it.
    pub(crate) fn sample() -> Self {
        Self {
            id: Self::ID,
            name: "Ann's phone",
            aaguid: Uuid::nil(),
            backup_eligible: true,
            backed_up: true,
            transports: Transports::named(["internal", "hybrid"]).names().collect(),
            created_at: sample::later(0, 0),
            used_at: Some(sample::later(2, 0)),
        }
    }
}
