//! The device credentials of a request.

use crate::{model::DeviceId, ports::DeviceCredentials};
use secrecy::SecretString;

/// The devices whose credentials a request shows. A browser has one for each account that signed in.
pub(crate) struct ShownDevices {
    devices: Vec<DeviceId>,
    are_forged: bool,
}

impl ShownDevices {
    pub(crate) fn verify(port: &dyn DeviceCredentials, credentials: &[SecretString]) -> Self {
        let mut devices = Vec::new();
        for device in credentials.iter().filter_map(|shown| port.verify(shown)) {
            if !devices.contains(&device) {
                devices.push(device);
            }
        }
        Self {
            are_forged: devices.is_empty() && !credentials.is_empty(),
            devices,
        }
    }

    /// Whether there are credentials, and none was issued here.
    pub(crate) const fn are_forged(&self) -> bool {
        self.are_forged
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
