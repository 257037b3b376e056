//! The secrets of factors at rest, sealed as keys are, under a key of their own; and the MACs of recovery codes.

use super::{
    secrets::MasterKey,
    vault::{NONCE, OpenedKey, Seal},
};
use crate::mac::hmac_sha256;
use hmac::Mac;
use revolve_domain::{
    keys::SealedKey,
    model::{CodeMac, RecoveryCode, UserId},
    ports::{Entropy, FactorFault, FactorSecretUse, FactorSecrets},
};
use secrecy::{ExposeSecret, SecretSlice};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Makes secrets of factors, sealed under the master key.
pub struct FactorVault {
    seal: Seal,
    entropy: Arc<dyn Entropy>,
}

impl FactorVault {
    /// A vault under the master key.
    ///
    /// # Errors
    /// [`FactorFault`] if the library refuses the derived key, which it does not for 32 bytes.
    pub fn new(master: &MasterKey, entropy: Arc<dyn Entropy>) -> Result<Self, FactorFault> {
        let seal = Seal::with(master, "factor secrets");
        let seal = seal.map_err(|error| FactorFault::NotMade(error.into()))?;
        Ok(Self { seal, entropy })
    }

    fn close(
        &self,
        user: UserId,
        of: FactorSecretUse,
        secret: &[u8],
    ) -> Result<SealedKey, FactorFault> {
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&self.entropy.bytes()[..NONCE]);
        self.seal
            .close_as(&context(user, of), secret, nonce)
            .map_err(|error| FactorFault::NotMade(error.into()))
    }

    fn opened(
        &self,
        user: UserId,
        of: FactorSecretUse,
        sealed: &SealedKey,
    ) -> Result<OpenedKey, FactorFault> {
        let opened = self.seal.open_as(&context(user, of), sealed);
        opened.ok_or(FactorFault::Sealed(user))
    }
}

impl FactorSecrets for FactorVault {
    fn make(&self, user: UserId, of: FactorSecretUse) -> Result<SealedKey, FactorFault> {
        let random = Zeroizing::new([self.entropy.bytes(), self.entropy.bytes()].concat());
        let length = match of {
            FactorSecretUse::Totp => 20,
            FactorSecretUse::RecoveryCodes => random.len(),
        };
        self.close(user, of, &random[..length])
    }

    fn open(
        &self,
        user: UserId,
        of: FactorSecretUse,
        sealed: &SealedKey,
    ) -> Result<SecretSlice<u8>, FactorFault> {
        Ok(self.opened(user, of, sealed)?.secret.to_vec().into())
    }

    fn reseal(
        &self,
        user: UserId,
        of: FactorSecretUse,
        sealed: &SealedKey,
    ) -> Result<Option<SealedKey>, FactorFault> {
        let opened = self.opened(user, of, sealed)?;
        if opened.is_present {
            return Ok(None);
        }
        self.close(user, of, &opened.secret).map(Some)
    }

    fn code_mac(
        &self,
        user: UserId,
        key: &SealedKey,
        code: &RecoveryCode,
    ) -> Result<CodeMac, FactorFault> {
        let key = self.open(user, FactorSecretUse::RecoveryCodes, key)?;
        let mac = hmac_sha256(key.expose_secret()).chain_update(code.expose());
        Ok(CodeMac::from_bytes(mac.finalize().into_bytes().into()))
    }
}

fn context(user: UserId, of: FactorSecretUse) -> String {
    format!("revolve factor {} {user}", of.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    const USES: [FactorSecretUse; 2] = [FactorSecretUse::Totp, FactorSecretUse::RecoveryCodes];

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

    fn vault(master: &MasterKey) -> FactorVault {
        FactorVault::new(master, Arc::new(Counting::default())).unwrap()
    }

    fn user(byte: u8) -> UserId {
        UserId::from_random([byte; 16])
    }

    #[test]
    fn a_secret_opens_for_its_account_and_its_use_only() {
        let vault = vault(&master(1));
        for (of, length, other) in [(USES[0], 20, USES[1]), (USES[1], 32, USES[0])] {
            let sealed = vault.make(user(1), of).unwrap();
            let opened = vault.open(user(1), of, &sealed).unwrap();
            assert_eq!(opened.expose_secret().len(), length);
            let again = vault.make(user(1), of).unwrap();
            let again = vault.open(user(1), of, &again).unwrap();
            assert_ne!(again.expose_secret(), opened.expose_secret());
            let refused = vault.open(user(2), of, &sealed);
            assert!(matches!(refused, Err(FactorFault::Sealed(id)) if id == user(2)));
            assert!(vault.open(user(1), other, &sealed).is_err());
            let mut bytes = sealed.as_bytes().to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            assert!(vault.open(user(1), of, &SealedKey::new(bytes)).is_err());
        }
    }

    #[test]
    fn a_secret_is_sealed_anew_when_the_master_key_changes() {
        for of in USES {
            let old = vault(&master(1));
            let sealed = old.make(user(1), of).unwrap();
            let changed = vault(&master(2).with_previous(vec![master(1)]));
            let resealed = changed.reseal(user(1), of, &sealed).unwrap().unwrap();
            assert!(changed.reseal(user(1), of, &resealed).unwrap().is_none());
            let alone = vault(&master(2));
            assert!(alone.open(user(1), of, &sealed).is_err());
            assert_eq!(
                alone.open(user(1), of, &resealed).unwrap().expose_secret(),
                old.open(user(1), of, &sealed).unwrap().expose_secret()
            );
        }
    }

    #[test]
    fn the_mac_of_a_code_stays_when_its_key_is_sealed_anew() {
        let code = |byte| RecoveryCode::from_random([byte; 10]);
        let old = vault(&master(1));
        let key = old.make(user(1), FactorSecretUse::RecoveryCodes).unwrap();
        let mac = old.code_mac(user(1), &key, &code(1)).unwrap();
        assert_ne!(old.code_mac(user(1), &key, &code(2)).unwrap(), mac);
        let another = old.make(user(1), FactorSecretUse::RecoveryCodes).unwrap();
        assert_ne!(old.code_mac(user(1), &another, &code(1)).unwrap(), mac);

        let changed = vault(&master(2).with_previous(vec![master(1)]));
        let of = FactorSecretUse::RecoveryCodes;
        let resealed = changed.reseal(user(1), of, &key).unwrap().unwrap();
        let alone = vault(&master(2));
        assert_eq!(alone.code_mac(user(1), &resealed, &code(1)).unwrap(), mac);
        assert!(alone.code_mac(user(1), &key, &code(1)).is_err());
        let totp = alone.make(user(1), FactorSecretUse::Totp).unwrap();
        assert!(alone.code_mac(user(1), &totp, &code(1)).is_err());
    }
}
