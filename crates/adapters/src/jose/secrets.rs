//! Symmetric keys, derived from the master key by HKDF-SHA256 (RFC 5869), each with a key id of its own.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// The secret that the other symmetric keys come from: 32 bytes. Earlier ones may be given with it: what was sealed or issued under them
/// counts as well, and nothing new is.
pub struct MasterKey {
    secret: SecretSlice<u8>,
    previous: Vec<Self>,
}

/// Not a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the master key must be 32 random bytes in base64url without padding (43 characters)")]
pub struct MasterKeyError;

/// A derived key.
pub(super) struct DerivedKey {
    /// Public; tells nothing about the key.
    pub(super) id: String,
    /// The key.
    pub(super) secret: SecretSlice<u8>,
}

impl MasterKey {
    /// The number of bytes.
    pub const LENGTH: usize = 32;

    /// Parses base64url without padding.
    ///
    /// # Errors
    /// [`MasterKeyError`], which never quotes the text.
    pub fn parse(text: &SecretString) -> Result<Self, MasterKeyError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text.expose_secret().trim())
            .map_err(|_| MasterKeyError)?;
        if bytes.len() == Self::LENGTH {
            Ok(Self {
                secret: bytes.into(),
                previous: Vec::new(),
            })
        } else {
            Err(MasterKeyError)
        }
    }

    /// The same, with those that came before it, the latest first.
    #[must_use]
    pub fn with_previous(self, previous: Vec<Self>) -> Self {
        Self { previous, ..self }
    }

    pub(super) fn previous(&self) -> &[Self] {
        &self.previous
    }

    /// The text form of 32 random bytes.
    pub fn encode(random: [[u8; 16]; 2]) -> SecretString {
        URL_SAFE_NO_PAD.encode(random.concat()).into()
    }

    /// The key of the digests under which limits are counted: the same for all replicas.
    pub fn limits(&self) -> SecretSlice<u8> {
        self.derive("limits").secret
    }

    /// Names of the installation, the same for all replicas: the present one, then those under the previous master keys. Each has
    /// 12 characters of base64url, and tells nothing about the key.
    pub fn installations(&self) -> impl Iterator<Item = String> + '_ {
        let keys = std::iter::once(self).chain(&self.previous);
        keys.map(|key| key.derive("installation").id)
    }

    pub(super) fn derive(&self, purpose: &str) -> DerivedKey {
        let expand = |label: &str, length: usize| {
            let mut bytes = vec![0; length];
            let hkdf = Hkdf::<Sha256>::new(None, self.secret.expose_secret());
            // Fails only for more than 255 blocks of output.
            hkdf.expand_multi_info(
                &[b"revolve ", purpose.as_bytes(), b" ", label.as_bytes()],
                &mut bytes,
            )
            .unwrap_or_default();
            bytes
        };
        DerivedKey {
            id: URL_SAFE_NO_PAD.encode(expand("id", 9)),
            secret: expand("key", 32).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_purpose_and_master_and_have_ids_that_are_not_keys() {
        let master = |byte| MasterKey::parse(&MasterKey::encode([[byte; 16]; 2])).unwrap();
        let (one, other) = (master(1), master(2));
        let refresh = one.derive("refresh token");
        assert_eq!(
            refresh.secret.expose_secret(),
            one.derive("refresh token").secret.expose_secret()
        );
        assert_ne!(
            refresh.secret.expose_secret(),
            one.derive("device").secret.expose_secret()
        );
        assert_ne!(
            refresh.secret.expose_secret(),
            other.derive("refresh token").secret.expose_secret()
        );
        assert_ne!(refresh.secret.expose_secret(), &[0; 32]);
        assert_ne!(refresh.id, other.derive("refresh token").id);
    }

    #[test]
    fn an_installation_is_known_by_its_present_and_its_previous_master_keys() {
        let master = |byte| MasterKey::parse(&MasterKey::encode([[byte; 16]; 2])).unwrap();
        let names = |key: MasterKey| key.installations().collect::<Vec<_>>();
        let (old, new) = (names(master(1)), names(master(2)));
        assert_eq!(names(master(1)), old, "the same at each start");
        assert_ne!(new, old);
        assert_eq!(
            names(master(2).with_previous(vec![master(1)])),
            [new, old].concat()
        );
    }

    #[test]
    fn a_master_key_has_32_bytes() {
        for bad in [
            "",
            "short",
            "!!!!",
            &"A".repeat(44),
            "not base64url not base64url not base64url no",
        ] {
            assert!(
                MasterKey::parse(&SecretString::from(bad)).is_err(),
                "{bad:?}"
            );
        }
        assert!(
            MasterKey::parse(&SecretString::from(format!("{}\n", "A".repeat(43)))).is_ok(),
            "a file's last line break is no error"
        );
    }
}
