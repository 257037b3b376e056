//! A virtual authenticator (WebAuthn Level 3 §11) with the browser before it: it takes the options of a ceremony and makes what
//! `PublicKeyCredential.toJSON()` would give (§5.1.8), without attestation. What a careful browser would refuse it does: origins are not checked. It
//! shares no code with the library that verifies.
//!
//! ```
//! # use revolve_testkit::authenticator::VirtualAuthenticator;
//! # use serde_json::json;
//! let options = json!({
//!     "rp": { "id": "example.org", "name": "Example" },
//!     "user": { "id": "AQIDBAUGBwgJCgsMDQ4PEA", "name": "ann@example.org", "displayName": "Ann" },
//!     "challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
//!     "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
//! });
//! let mut authenticator = VirtualAuthenticator::default();
//! let registration = authenticator.create(&options, "https://example.org");
//! assert_eq!(registration["type"], "public-key");
//! ```

mod cbor;
mod key;

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
pub use key::KeyAlgorithm;
use key::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Flags of authenticator data (§6.1).
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

struct Credential {
    id: Vec<u8>,
    rp_id: String,
    /// As the options had it.
    user_handle: String,
    key: KeyPair,
}

/// An authenticator that has all its passkeys in memory. Its fields say what it does next.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the flags of authenticator data"
)]
pub struct VirtualAuthenticator {
    /// The algorithm of the next passkey. It need not be among those that are offered.
    pub algorithm: KeyAlgorithm,
    /// Its model.
    pub aaguid: Uuid,
    /// Whether somebody is there.
    pub user_present: bool,
    /// Whether it has made sure who.
    pub user_verified: bool,
    /// Whether its passkeys may be copied.
    pub backup_eligible: bool,
    /// Whether they are.
    pub backed_up: bool,
    /// The signature counter that it shows; it stays until a test changes it.
    pub counter: u32,
    /// Whether it says that it is in a frame of another site.
    pub cross_origin: bool,
    /// The RP id that it signs for instead of the one that it is asked for.
    pub rp_id: Option<String>,
    /// The user handle that it shows instead of that of the passkey, in base64url.
    pub user_handle: Option<String>,
    credentials: Vec<Credential>,
}

impl Default for VirtualAuthenticator {
    /// One as phones have them: ES256, a verified user, synchronised passkeys and no counter.
    fn default() -> Self {
        Self {
            algorithm: KeyAlgorithm::Es256,
            aaguid: Uuid::nil(),
            user_present: true,
            user_verified: true,
            backup_eligible: true,
            backed_up: true,
            counter: 0,
            cross_origin: false,
            rp_id: None,
            user_handle: None,
            credentials: Vec::new(),
        }
    }
}

impl VirtualAuthenticator {
    /// One that differs from [`Self::default`] in this.
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut authenticator = Self::default();
        change(&mut authenticator);
        authenticator
    }

    /// Makes a passkey and answers as `navigator.credentials.create()` does. `options`: `PublicKeyCredentialCreationOptionsJSON`.
    ///
    /// # Panics
    /// If the options lack `rp.id`, `user.id` or `challenge`.
    pub fn create(&mut self, options: &Value, origin: &str) -> Value {
        let mut id = vec![0; 32];
        rand::fill(&mut id).expect("there are random bytes");
        let credential = Credential {
            id,
            rp_id: text(&options["rp"]["id"]).to_owned(),
            user_handle: text(&options["user"]["id"]).to_owned(),
            key: KeyPair::generate(self.algorithm),
        };
        let mut data = self.data(&credential.rp_id, ATTESTED);
        data.extend(self.aaguid.as_bytes());
        data.extend(
            u16::try_from(credential.id.len())
                .unwrap_or(0)
                .to_be_bytes(),
        );
        data.extend(&credential.id);
        data.extend(credential.key.cose());
        let object = cbor::map(&[
            (cbor::text("fmt"), cbor::text("none")),
            (cbor::text("attStmt"), cbor::map(&[])),
            (cbor::text("authData"), cbor::bytes(&data)),
        ]);
        let client_data = self.client_data("webauthn.create", options, origin);
        let id = encoded(&credential.id);
        self.credentials.push(credential);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(client_data.as_bytes()),
                "attestationObject": encoded(&object),
                "transports": ["internal", "hybrid"],
            },
        })
    }

    /// Signs and answers as `navigator.credentials.get()` does, with the latest passkey that the options allow; `None` if there is none. `options`:
    /// `PublicKeyCredentialRequestOptionsJSON`.
    ///
    /// # Panics
    /// If the options lack `rpId` or `challenge`.
    pub fn get(&self, options: &Value, origin: &str) -> Option<Value> {
        let rp_id = text(&options["rpId"]);
        let allowed: Vec<&str> = options["allowCredentials"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|descriptor| descriptor["id"].as_str())
            .collect();
        let credential = self.credentials.iter().rev().find(|credential| {
            let is_allowed = allowed.is_empty() || allowed.contains(&&*encoded(&credential.id));
            is_allowed && credential.rp_id == rp_id
        })?;
        let data = self.data(rp_id, 0);
        let client_data = self.client_data("webauthn.get", options, origin);
        let signed = [&data[..], &Sha256::digest(&client_data)].concat();
        let id = encoded(&credential.id);
        let user_handle = self.user_handle.as_ref().unwrap_or(&credential.user_handle);
        Some(json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(client_data.as_bytes()),
                "authenticatorData": encoded(&data),
                "signature": encoded(&credential.key.sign(&signed)),
                "userHandle": user_handle,
            },
        }))
    }

    /// Forgets every passkey, as a lost phone does.
    pub fn forget(&mut self) {
        self.credentials.clear();
    }

    fn data(&self, rp_id: &str, flags: u8) -> Vec<u8> {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flags
            | flag(self.user_present, USER_PRESENT)
            | flag(self.user_verified, USER_VERIFIED)
            | flag(self.backup_eligible, BACKUP_ELIGIBLE)
            | flag(self.backed_up, BACKED_UP);
        let mut data = Sha256::digest(self.rp_id.as_deref().unwrap_or(rp_id)).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, options: &Value, origin: &str) -> String {
        let challenge = text(&options["challenge"]);
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": self.cross_origin })
            .to_string()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the options have this text")
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
