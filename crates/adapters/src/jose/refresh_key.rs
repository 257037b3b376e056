//! A secret for what only this service verifies, refresh tokens, reauthentications and set-ups: HMAC with SHA-256.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A secret, ready to sign and to verify. It signs refresh tokens; the others have keys that are derived from it, so that none could pass for
/// another even if their types were mixed up.
pub(super) struct RefreshKey {
    pub(super) id: String,
    pub(super) refresh: Arc<MacKey>,
    pub(super) reauthentication: Arc<MacKey>,
    pub(super) set_up: Arc<MacKey>,
}

/// The secret can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret must have at least 32 bytes")]
pub(super) struct ShortSecret;

/// A key of HMAC. Its two pads are hashed once; each token goes on from there.
pub(super) struct MacKey(Hmac<Sha256>);

impl RefreshKey {
    /// The number of bytes of a secret that we make (RFC 7518 §3.2).
    pub(super) const LENGTH: usize = 32;

    /// What the initial secret is derived from the master key for.
    pub(super) const PURPOSE: &str = "refresh token";

    pub(super) fn new(id: &str, secret: &[u8]) -> Result<Self, ShortSecret> {
        let hkdf = Hkdf::<Sha256>::from_prk(secret).map_err(|_| ShortSecret)?;
        let derived = |label: &[u8]| {
            let mut derived = Zeroizing::new([0; Self::LENGTH]);
            hkdf.expand(label, &mut *derived).map_err(|_| ShortSecret)?;
            MacKey::new(&*derived).map(Arc::new)
        };
        Ok(Self {
            id: id.to_owned(),
            refresh: Arc::new(MacKey::new(secret)?),
            reauthentication: derived(b"revolve reauthentication key")?,
            set_up: derived(b"revolve set-up key")?,
        })
    }
}

impl MacKey {
    fn new(secret: &[u8]) -> Result<Self, ShortSecret> {
        Hmac::new_from_slice(secret)
            .map(Self)
            .map_err(|_| ShortSecret)
    }

    /// The MAC of a message.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.begin(message).finalize().into_bytes().into()
    }

    /// Whether it made the signature; compared in constant time.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.begin(message).verify_slice(signature).is_ok()
    }

    fn begin(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(message);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use josekit::jws::{HS256, JwsSigner};

    #[test]
    fn it_makes_the_macs_of_hs256_and_takes_no_others() {
        let key = RefreshKey::new("key", &[7; 32]).unwrap();
        let mac = key.refresh.sign(b"message");
        assert_eq!(
            HS256
                .signer_from_bytes([7; 32])
                .unwrap()
                .sign(b"message")
                .unwrap(),
            mac
        );
        assert!(key.refresh.verifies(b"message", &mac));
        assert!(!key.refresh.verifies(b"another", &mac));
        assert!(!key.refresh.verifies(b"message", &mac[..31]));
        assert!(!key.refresh.verifies(b"message", &[]));
        assert!(
            !RefreshKey::new("key", &[8; 32])
                .unwrap()
                .refresh
                .verifies(b"message", &mac)
        );
    }

    #[test]
    fn each_kind_of_token_has_a_key_of_its_own() {
        let keys = |secret| {
            let key = RefreshKey::new("key", &[secret; 32]).unwrap();
            [key.refresh, key.reauthentication, key.set_up]
        };
        let (own, others) = (keys(7), keys(8));
        for (place, key) in own.iter().enumerate() {
            let signature = key.sign(b"message");
            for (other, key) in own.iter().enumerate() {
                assert_eq!(key.verifies(b"message", &signature), place == other);
            }
            for key in &others {
                assert!(!key.verifies(b"message", &signature));
            }
        }
        assert_eq!(RefreshKey::new("key", &[7; 31]).err(), Some(ShortSecret));
    }
}
