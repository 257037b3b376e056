//! Secret parts at rest: AES-256-GCM under a key that is derived from the master key for nothing else. Name, use and
//! algorithm are authenticated, too, so that no row can pass for another.

use super::{
    id_key::IdKey,
    refresh_key::RefreshKey,
    secrets::{DerivedKey, MasterKey},
};
use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    keys::{Algorithm, KeyId, KeyKind, SealedKey, StoredKey},
    ports::{Entropy, KeyFault, KeyMaker, NewKey},
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The format of the rest.
const FORMAT: u8 = 1;
pub(super) const NONCE: usize = 12;

/// Seals under the present master key, and opens under any.
pub(super) struct Seal {
    present: Aes256Gcm,
    previous: Vec<Aes256Gcm>,
}

/// What was opened, and whether the present master key opened it.
pub(super) struct OpenedKey {
    pub(super) secret: Zeroizing<Vec<u8>>,
    pub(super) is_present: bool,
}

impl Seal {
    pub(super) fn new(master: &MasterKey) -> Result<Self, KeyFault> {
        Self::with(master, "stored keys").map_err(|error| KeyFault::NotMade(error.into()))
    }

    /// Seals what is for `purpose` only.
    pub(super) fn with(master: &MasterKey, purpose: &str) -> Result<Self, String> {
        let cipher = |master: &MasterKey| {
            let DerivedKey { secret, .. } = master.derive(purpose);
            Aes256Gcm::new_from_slice(secret.expose_secret()).map_err(|error| error.to_string())
        };
        Ok(Self {
            present: cipher(master)?,
            previous: master
                .previous()
                .iter()
                .map(cipher)
                .collect::<Result<_, _>>()?,
        })
    }

    fn close(
        &self,
        id: &KeyId,
        kind: KeyKind,
        secret: &[u8],
        nonce: [u8; NONCE],
    ) -> Result<SealedKey, KeyFault> {
        self.close_as(&context(id, kind), secret, nonce)
            .map_err(|error| KeyFault::NotMade(error.into()))
    }

    /// Seals what opens with the same context only.
    pub(super) fn close_as(
        &self,
        context: &str,
        secret: &[u8],
        nonce: [u8; NONCE],
    ) -> Result<SealedKey, String> {
        let payload = Payload {
            msg: secret,
            aad: context.as_bytes(),
        };
        let sealed = self.present.encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|error| error.to_string())?;
        Ok(SealedKey::new([&[FORMAT], &nonce[..], &sealed].concat()))
    }

    pub(super) fn open(&self, key: &StoredKey) -> Result<OpenedKey, KeyFault> {
        self.open_as(&context(&key.id, key.kind), &key.sealed)
            .ok_or_else(|| KeyFault::Sealed(key.id.clone()))
    }

    /// Opens what was sealed with that context; `None` if it was not, or under another master key.
    pub(super) fn open_as(&self, context: &str, sealed: &SealedKey) -> Option<OpenedKey> {
        let sealed = sealed.as_bytes().strip_prefix(&[FORMAT])?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let open = |cipher: &Aes256Gcm| {
            let payload = Payload {
                msg: sealed,
                aad: context.as_bytes(),
            };
            let opened = cipher.decrypt(&Nonce::from(*nonce), payload);
            opened.map(Zeroizing::new).ok()
        };
        let opened = |secret, is_present| OpenedKey { secret, is_present };
        if let Some(secret) = open(&self.present) {
            return Some(opened(secret, true));
        }
        let secret = self.previous.iter().find_map(open);
        secret.map(|secret| opened(secret, false))
    }
}

/// The authenticated context of a secret part. None of the three names has a space.
fn context(id: &KeyId, kind: KeyKind) -> String {
    format!("revolve {} {} {id}", kind.usage(), kind.algorithm_name())
}

/// Makes keys, sealed under the master key.
pub struct KeyVault {
    seal: Seal,
    entropy: Arc<dyn Entropy>,
    initial_refresh: DerivedKey,
    import: Option<(Algorithm, SecretString)>,
}

impl KeyVault {
    /// A vault under the master key. `import`: the private key in PEM form that signed before keys were stored, if there
    /// is one; the first key for its algorithm is this one.
    ///
    /// # Errors
    /// [`KeyFault`] if the library refuses the derived key, which it does not for 32 bytes.
    pub fn new(
        master: &MasterKey,
        entropy: Arc<dyn Entropy>,
        import: Option<(Algorithm, SecretString)>,
    ) -> Result<Self, KeyFault> {
        Ok(Self {
            seal: Seal::new(master)?,
            entropy,
            initial_refresh: master.derive(RefreshKey::PURPOSE),
            import,
        })
    }

    fn id_key(&self, algorithm: Algorithm, pem: &SecretString) -> Result<NewKey, KeyFault> {
        let key =
            IdKey::from_pem(algorithm, pem).map_err(|error| KeyFault::NotMade(error.into()))?;
        self.sealed(
            key.id(),
            KeyKind::Id(algorithm),
            pem.expose_secret().as_bytes(),
        )
    }

    fn nonce(&self) -> [u8; NONCE] {
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&self.entropy.bytes()[..NONCE]);
        nonce
    }

    fn sealed(&self, id: &str, kind: KeyKind, secret: &[u8]) -> Result<NewKey, KeyFault> {
        let id: KeyId = id
            .parse()
            .map_err(|error: revolve_domain::keys::NotAKeyName| KeyFault::NotMade(error.into()))?;
        let sealed = self.seal.close(&id, kind, secret, self.nonce())?;
        Ok(NewKey { id, kind, sealed })
    }
}

impl KeyMaker for KeyVault {
    fn reseal(&self, key: &StoredKey) -> Result<Option<SealedKey>, KeyFault> {
        let opened = self.seal.open(key)?;
        if opened.is_present {
            return Ok(None);
        }
        self.seal
            .close(&key.id, key.kind, &opened.secret, self.nonce())
            .map(Some)
    }

    fn make(&self, kind: KeyKind) -> Result<NewKey, KeyFault> {
        match kind {
            KeyKind::Id(algorithm) => {
                let pem =
                    IdKey::generate(algorithm).map_err(|error| KeyFault::NotMade(error.into()))?;
                self.id_key(algorithm, &pem)
            }
            KeyKind::Refresh => {
                let secret: SecretSlice<u8> =
                    [self.entropy.bytes(), self.entropy.bytes()].concat().into();
                self.sealed(
                    &URL_SAFE_NO_PAD.encode(self.entropy.bytes()),
                    kind,
                    secret.expose_secret(),
                )
            }
        }
    }

    /// For refresh tokens it is the secret that is derived from the master key, with which they were signed before keys
    /// were stored.
    fn first(&self, kind: KeyKind) -> Result<NewKey, KeyFault> {
        match (kind, &self.import) {
            (KeyKind::Refresh, _) => self.sealed(
                &self.initial_refresh.id,
                kind,
                self.initial_refresh.secret.expose_secret(),
            ),
            (KeyKind::Id(wanted), Some((algorithm, pem))) if wanted == *algorithm => {
                self.id_key(wanted, pem)
            }
            (KeyKind::Id(_), _) => self.make(kind),
        }
    }
}
