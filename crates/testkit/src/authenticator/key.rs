//! Keys of passkeys.

use super::cbor;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256,
    },
};

/// The algorithm of a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits.
    Rs256,
}

pub(super) enum KeyPair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(rsa::KeyPair),
}

impl KeyPair {
    pub(super) fn generate(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Self::Es256)
            }
            KeyAlgorithm::EdDsa => Ed25519KeyPair::generate().map(Self::EdDsa),
            KeyAlgorithm::Rs256 => rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map(Self::Rs256),
        }
        .expect("a key is made")
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => {
                let signature = key.sign(&SystemRandom::new(), message);
                signature.expect("it signs").as_ref().to_vec()
            }
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .expect("it signs");
                signature
            }
        }
    }

    /// The public key as a `COSE_Key` (RFC 9053 §7, RFC 8230 §4).
    pub(super) fn cose(&self) -> Vec<u8> {
        let pair = |label, value| (cbor::integer(label), value);
        match self {
            Self::Es256(key) => {
                // Uncompressed: 4, x, y.
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                cbor::map(&[
                    pair(1, cbor::integer(2)),
                    pair(3, cbor::integer(-7)),
                    pair(-1, cbor::integer(1)),
                    pair(-2, cbor::bytes(x)),
                    pair(-3, cbor::bytes(y)),
                ])
            }
            Self::EdDsa(key) => cbor::map(&[
                pair(1, cbor::integer(1)),
                pair(3, cbor::integer(-8)),
                pair(-1, cbor::integer(6)),
                pair(-2, cbor::bytes(key.public_key().as_ref())),
            ]),
            Self::Rs256(key) => {
                // `RSAPublicKey` (RFC 8017 A.1.1) of 2048 bits: the modulus after 9 bytes, the exponent in the last 3.
                let der = key.public_key().as_ref();
                cbor::map(&[
                    pair(1, cbor::integer(3)),
                    pair(3, cbor::integer(-257)),
                    pair(-1, cbor::bytes(&der[9..265])),
                    pair(-2, cbor::bytes(&der[der.len() - 3..])),
                ])
            }
        }
    }
}
