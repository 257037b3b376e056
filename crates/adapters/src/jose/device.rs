//! Device credentials: `<device id>.<MAC>`, both in base64url. Nothing is stored.

use super::secrets::{DerivedKey, MasterKey};
use crate::mac::hmac_sha256;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use revolve_domain::{model::DeviceId, ports::DeviceCredentials};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Issues and checks device credentials with HMAC-SHA256. What was issued under an earlier master key counts as long as that is given.
pub struct MacDeviceCredentials {
    key: DerivedKey,
    previous: Vec<DerivedKey>,
}

impl MacDeviceCredentials {
    /// Derives the keys.
    pub fn new(master: &MasterKey) -> Self {
        let derive = |master: &MasterKey| master.derive("device");
        Self {
            key: derive(master),
            previous: master.previous().iter().map(derive).collect(),
        }
    }

    fn mac(key: &DerivedKey, device: DeviceId) -> Hmac<Sha256> {
        let mut mac = hmac_sha256(key.secret.expose_secret());
        mac.update(device.as_uuid().as_bytes());
        mac
    }
}

impl DeviceCredentials for MacDeviceCredentials {
    fn issue(&self, device: DeviceId) -> SecretString {
        let mac = Self::mac(&self.key, device).finalize().into_bytes();
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
        let made = |key| Self::mac(key, device).verify_slice(&mac).is_ok();
        (made(&self.key) || self.previous.iter().any(made)).then_some(device)
    }
}
