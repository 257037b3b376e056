//! The secrets of webhooks at rest, sealed as keys are, under a key of their own.

use super::{
    secrets::MasterKey,
    vault::{NONCE, OpenedKey, Seal},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use revolve_domain::{
    keys::SealedKey,
    model::WebhookId,
    ports::{Entropy, NewWebhookSecret, SecretFault, WebhookSecrets},
};
use secrecy::SecretSlice;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the text form begins with, so that scanners for secrets find it.
const PREFIX: &str = "whsec_";

/// Makes secrets of webhooks, sealed under the master key.
pub struct WebhookVault {
    seal: Seal,
    entropy: Arc<dyn Entropy>,
}

impl WebhookVault {
    /// A vault under the master key.
    ///
    /// # Errors
    /// [`SecretFault`] if the library refuses the derived key, which it does not for 32 bytes.
    pub fn new(master: &MasterKey, entropy: Arc<dyn Entropy>) -> Result<Self, SecretFault> {
        let seal = Seal::with(master, "webhook secrets");
        let seal = seal.map_err(|error| SecretFault::NotMade(error.into()))?;
        Ok(Self { seal, entropy })
    }

    fn close(&self, webhook: WebhookId, secret: &[u8]) -> Result<SealedKey, SecretFault> {
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&self.entropy.bytes()[..NONCE]);
        self.seal
            .close_as(&context(webhook), secret, nonce)
            .map_err(|error| SecretFault::NotMade(error.into()))
    }

    fn opened(&self, webhook: WebhookId, sealed: &SealedKey) -> Result<OpenedKey, SecretFault> {
        let opened = self.seal.open_as(&context(webhook), sealed);
        opened.ok_or(SecretFault::Sealed(webhook))
    }
}

impl WebhookSecrets for WebhookVault {
    fn make(&self, webhook: WebhookId) -> Result<NewWebhookSecret, SecretFault> {
        let secret = Zeroizing::new([self.entropy.bytes(), self.entropy.bytes()].concat());
        Ok(NewWebhookSecret {
            sealed: self.close(webhook, &secret)?,
            shown: format!("{PREFIX}{}", STANDARD.encode(&*secret)).into(),
        })
    }

    fn open(&self, webhook: WebhookId, sealed: &SealedKey) -> Result<SecretSlice<u8>, SecretFault> {
        Ok(self.opened(webhook, sealed)?.secret.to_vec().into())
    }

    fn reseal(
        &self,
        webhook: WebhookId,
        sealed: &SealedKey,
    ) -> Result<Option<SealedKey>, SecretFault> {
        let opened = self.opened(webhook, sealed)?;
        if opened.is_present {
            return Ok(None);
        }
        self.close(webhook, &opened.secret).map(Some)
    }
}

fn context(webhook: WebhookId) -> String {
    format!("revolve webhook {webhook}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::sync::atomic::{AtomicU8, Ordering};

    #[derive(Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn bytes(&self) -> [u8; 16] {
            [self.0.fetch_add(1, Ordering::Relaxed); 16]
        }
    }

    fn master(byte: u8) -> MasterKey {
        MasterKey::parse(&MasterKey::encode([[byte; 16]; 2])).unwrap()
    }

    fn vault(master: &MasterKey) -> WebhookVault {
        WebhookVault::new(master, Arc::new(Counting::default())).unwrap()
    }

    #[test]
    fn a_secret_opens_as_that_of_its_webhook_only() {
        let (one, other) = (
            WebhookId::from_random([1; 16]),
            WebhookId::from_random([2; 16]),
        );
        let vault = vault(&master(1));
        let made = vault.make(one).unwrap();
        let opened = vault.open(one, &made.sealed).unwrap();
        assert_eq!(opened.expose_secret().len(), 32);
        let shown = format!("whsec_{}", STANDARD.encode(opened.expose_secret()));
        assert_eq!(made.shown.expose_secret(), shown);
        let refused = vault.open(other, &made.sealed);
        assert!(matches!(refused, Err(SecretFault::Sealed(id)) if id == other));
        let mut bytes = made.sealed.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(vault.open(one, &SealedKey::new(bytes)).is_err());
    }

    #[test]
    fn a_secret_is_sealed_anew_when_the_master_key_changes() {
        let id = WebhookId::from_random([1; 16]);
        let made = vault(&master(1)).make(id).unwrap();
        let changed = vault(&master(2).with_previous(vec![master(1)]));
        let resealed = changed.reseal(id, &made.sealed).unwrap().unwrap();
        assert!(changed.reseal(id, &resealed).unwrap().is_none());
        let alone = vault(&master(2));
        assert!(alone.open(id, &made.sealed).is_err());
        assert!(alone.open(id, &resealed).is_ok());
    }
}
