//! The codes and link secrets of proofs, derived with HMAC-SHA256. Nothing is stored.

use super::secrets::{DerivedKey, MasterKey};
use crate::mac::hmac_sha256;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;
use revolve_domain::{model::ProofId, ports::ProofSecrets};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

/// How many codes there are: all texts of six digits.
const CODES: u128 = 1_000_000;

/// Derives what proofs are proved by. What was mailed under an earlier master key counts as long as that is given.
pub struct MacProofSecrets {
    key: DerivedKey,
    previous: Vec<DerivedKey>,
}

impl MacProofSecrets {
    /// Derives the keys.
    pub fn new(master: &MasterKey) -> Self {
        let derive = |master: &MasterKey| master.derive("proof");
        Self {
            key: derive(master),
            previous: master.previous().iter().map(derive).collect(),
        }
    }

    /// Whether one of the keys makes the text; all of them are tried.
    fn is_any(&self, given: &SecretString, make: impl Fn(&DerivedKey) -> SecretString) -> bool {
        let given = given.expose_secret().as_bytes();
        let keys = std::iter::once(&self.key).chain(&self.previous);
        let same = keys.map(|key| make(key).expose_secret().as_bytes().ct_eq(given));
        same.fold(Choice::from(0), |any, one| any | one).into()
    }
}

fn mac(key: &DerivedKey, kind: u8, proof: ProofId, serial: u32) -> [u8; 32] {
    let mut mac = hmac_sha256(key.secret.expose_secret());
    mac.update(&[kind]);
    mac.update(proof.as_uuid().as_bytes());
    mac.update(&serial.to_be_bytes());
    mac.finalize().into_bytes().into()
}

/// 128 bits, so that the remainder favours no code by more than 2^-108.
fn code(key: &DerivedKey, proof: ProofId, serial: u32) -> SecretString {
    let number = mac(key, b'c', proof, serial)
        .iter()
        .take(16)
        .fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    format!("{:06}", number % CODES).into()
}

fn secret(key: &DerivedKey, proof: ProofId, serial: u32) -> SecretString {
    URL_SAFE_NO_PAD.encode(mac(key, b's', proof, serial)).into()
}

impl ProofSecrets for MacProofSecrets {
    fn code(&self, proof: ProofId, serial: u32) -> SecretString {
        code(&self.key, proof, serial)
    }

    fn secret(&self, proof: ProofId, serial: u32) -> SecretString {
        secret(&self.key, proof, serial)
    }

    fn is_code(&self, proof: ProofId, serial: u32, given: &SecretString) -> bool {
        self.is_any(given, |key| code(key, proof, serial))
    }

    fn is_secret(&self, proof: ProofId, serial: u32, given: &SecretString) -> bool {
        self.is_any(given, |key| secret(key, proof, serial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey::parse(&MasterKey::encode([[byte; 16]; 2])).unwrap()
    }

    #[test]
    fn what_was_mailed_under_an_earlier_master_key_counts() {
        let proof = ProofId::from_random([1; 16]);
        let old = MacProofSecrets::new(&master(1));
        let new = MacProofSecrets::new(&master(2).with_previous(vec![master(1)]));
        let stranger = MacProofSecrets::new(&master(2));
        let (code, secret) = (old.code(proof, 1), old.secret(proof, 1));
        assert!(new.is_code(proof, 1, &code) && new.is_secret(proof, 1, &secret));
        assert!(!stranger.is_code(proof, 1, &code) && !stranger.is_secret(proof, 1, &secret));
        assert_ne!(new.secret(proof, 1).expose_secret(), secret.expose_secret());
    }
}
