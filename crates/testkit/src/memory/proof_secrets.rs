//! Codes and secrets of proofs, by a checksum in place of a MAC.

use super::tag::{scramble, tag};
use revolve_domain::{model::ProofId, ports::ProofSecrets};
use secrecy::{ExposeSecret, SecretString};

/// Derives codes and secrets. For tests only: the key is in this file.
#[derive(Debug, Default)]
pub struct TestProofSecrets;

impl ProofSecrets for TestProofSecrets {
    fn code(&self, proof: ProofId, serial: u32) -> SecretString {
        let (high, low) = proof.as_uuid().as_u64_pair();
        let number = scramble(scramble(high) ^ low ^ u64::from(serial));
        format!("{:06}", number % 1_000_000).into()
    }

    fn secret(&self, proof: ProofId, serial: u32) -> SecretString {
        let half = |key| tag(key, &format!("{proof} {serial}"));
        format!("{}{}", half("proof"), half("secret")).into()
    }

    fn is_code(&self, proof: ProofId, serial: u32, code: &SecretString) -> bool {
        self.code(proof, serial).expose_secret() == code.expose_secret()
    }

    fn is_secret(&self, proof: ProofId, serial: u32, secret: &SecretString) -> bool {
        self.secret(proof, serial).expose_secret() == secret.expose_secret()
    }
}
