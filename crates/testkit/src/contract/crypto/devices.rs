//! The contract of [`DeviceCredentials`].

use super::variants;
use crate::contract::given::device_id;
use revolve_domain::ports::DeviceCredentials;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// A credential is verified to the device that it was issued to, and fits into a header and a cookie.
pub async fn a_credential_names_its_device(devices: &Arc<dyn DeviceCredentials>) {
    for _ in 0..20 {
        let device = device_id();
        let credential = devices.issue(device);
        assert_eq!(
            devices.verify(&credential),
            Some(device),
            "the device that it was issued to"
        );
        let text = credential.expose_secret();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        assert!(
            text.chars().all(fits) && text.len() <= 128,
            "characters that need no escape in a cookie, and not too many"
        );
    }
}

/// The same device always gets the same credential, and another device another.
pub async fn a_credential_is_the_same_each_time(devices: &Arc<dyn DeviceCredentials>) {
    let device = device_id();
    let (one, again, other) = (
        devices.issue(device),
        devices.issue(device),
        devices.issue(device_id()),
    );
    assert_eq!(
        one.expose_secret(),
        again.expose_secret(),
        "the same device"
    );
    assert_ne!(one.expose_secret(), other.expose_secret(), "another device");
}

/// A credential that was tampered with, cut, or combined from two is refused.
pub async fn a_changed_credential_names_no_device(devices: &Arc<dyn DeviceCredentials>) {
    let (one, other) = (devices.issue(device_id()), devices.issue(device_id()));
    let (one, other) = (one.expose_secret(), other.expose_secret());
    let half = one.len() / 2;
    let mixed = [
        format!("{}{}", &one[..half], &other[half..]),
        one[..half].to_owned(),
        one[..one.len() - 2].to_owned(),
        format!("{one}AA"),
    ];
    for forged in variants(one).into_iter().chain(mixed) {
        assert_eq!(
            devices.verify(&SecretString::from(forged.as_str())),
            None,
            "{forged} was not issued here"
        );
    }
}

/// Other text is refused without harm.
pub async fn what_is_no_credential_names_no_device(devices: &Arc<dyn DeviceCredentials>) {
    let id = device_id().to_string();
    for text in [
        "",
        ".",
        "..",
        "device",
        &id,
        &format!("{id}."),
        "🦀.🦀",
        &"x".repeat(100_000),
    ] {
        assert_eq!(
            devices.verify(&SecretString::from(text)),
            None,
            "not a credential"
        );
    }
}
