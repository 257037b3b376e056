//! The device credentials of a request.

use crate::{model::DeviceId, ports::DeviceCredentials};
use secrecy::SecretString;

/// The devices whose credentials a request shows. A browser has one for each account that signed in.
pub(crate) struct ShownDevices {
    devices: Vec<DeviceId>,
}

impl ShownDevices {
    /// Those that were not issued here count for nothing.
    pub(crate) fn verify(port: &dyn DeviceCredentials, credentials: &[SecretString]) -> Self {
        let mut devices = Vec::new();
        for device in credentials.iter().filter_map(|shown| port.verify(shown)) {
            if !devices.contains(&device) {
                devices.push(device);
            }
        }
        Self { devices }
    }

    pub(crate) fn all(&self) -> &[DeviceId] {
        &self.devices
    }

    pub(crate) fn first(&self) -> Option<DeviceId> {
        self.devices.first().copied()
    }

    /// This device, if it is shown.
    pub(crate) fn find(&self, device: DeviceId) -> Option<DeviceId> {
        self.devices.contains(&device).then_some(device)
    }

    /// All but this one.
    pub(crate) fn without(&self, device: DeviceId) -> Vec<DeviceId> {
        let others = self.devices.iter().filter(|shown| **shown != device);
        others.copied().collect()
    }
}
