//! Device credentials with a checksum in place of a MAC.

use super::tag::tag;
use revolve_domain::{model::DeviceId, ports::DeviceCredentials};
use secrecy::{ExposeSecret, SecretString};

/// Issues `<device>.<checksum>`. For tests only: the key is in this file.
#[derive(Debug, Default)]
pub struct TestDevices;

impl DeviceCredentials for TestDevices {
    fn issue(&self, device: DeviceId) -> SecretString {
        let id = device.to_string();
        SecretString::from(format!("{id}.{}", tag("device", &id)))
    }

    fn verify(&self, credential: &SecretString) -> Option<DeviceId> {
        let (id, checksum) = credential.expose_secret().split_once('.')?;
        if tag("device", id) == checksum {
            id.parse().ok()
        } else {
            None
        }
    }
}
