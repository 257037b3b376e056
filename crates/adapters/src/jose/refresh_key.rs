//! A secret for refresh tokens: HMAC with SHA-256.

use hmac::{Hmac, KeyInit, Mac, digest::InvalidLength};
use sha2::Sha256;

/// A secret, ready to sign and to verify. Its two pads are hashed once; each token goes on from there.
pub(super) struct RefreshKey {
    pub(super) id: String,
    begun: Hmac<Sha256>,
}

impl RefreshKey {
    /// The number of bytes of a secret that we make (RFC 7518 §3.2).
    pub(super) const LENGTH: usize = 32;

    /// What the initial secret is derived from the master key for.
    pub(super) const PURPOSE: &str = "refresh token";

    pub(super) fn new(id: &str, secret: &[u8]) -> Result<Self, InvalidLength> {
        Ok(Self {
            id: id.to_owned(),
            begun: Hmac::new_from_slice(secret)?,
        })
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
        let mut mac = self.begun.clone();
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
        let mac = key.sign(b"message");
        assert_eq!(
            HS256
                .signer_from_bytes([7; 32])
                .unwrap()
                .sign(b"message")
                .unwrap(),
            mac
        );
        assert!(key.verifies(b"message", &mac));
        assert!(!key.verifies(b"another", &mac));
        assert!(!key.verifies(b"message", &mac[..31]));
        assert!(!key.verifies(b"message", &[]));
        assert!(
            !RefreshKey::new("key", &[8; 32])
                .unwrap()
                .verifies(b"message", &mac)
        );
    }
}
