//! Device credentials: `<device id>.<MAC>`, both in base64url. Nothing is stored.

use super::secrets::{DerivedKey, MasterKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use revolve_domain::{model::DeviceId, ports::DeviceCredentials};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Issues and checks device credentials with HMAC-SHA256.
pub struct MacDeviceCredentials {
    key: DerivedKey,
}

impl MacDeviceCredentials {
    /// Derives the key.
    pub fn new(master: &MasterKey) -> Self {
        Self {
            key: master.derive("device"),
        }
    }

    fn mac(&self, device: DeviceId) -> Hmac<Sha256> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of any length (RFC 2104 §3)"
        )]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.secret.expose_secret())
            .expect("HMAC takes any key");
        mac.update(device.as_uuid().as_bytes());
        mac
    }
}

impl DeviceCredentials for MacDeviceCredentials {
    fn issue(&self, device: DeviceId) -> SecretString {
        let mac = self.mac(device).finalize().into_bytes();
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(device.as_uuid().as_bytes()),
            URL_SAFE_NO_PAD.encode(mac)
        )
        .into()
    }

    fn verify(&self, credential: &SecretString) -> Option<DeviceId> {
        let (id, mac) = credential.expose_secret().split_once('.')?;
        let id: [u8; 16] = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
        let device = DeviceId::from_uuid(uuid::Uuid::from_bytes(id));
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        // Compares in constant time.
        self.mac(device).verify_slice(&mac).ok().map(|()| device)
    }
}
