//! Signatures of ID tokens: RSA by josekit, elliptic curves by aws-lc, which the stores' TLS brings anyway and which takes less CPU for
//! them (ADR 27).

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey,
        VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::{
    jwk::{Jwk, KeyPair, alg::ed::EdCurve},
    jws::{ES256, EdDSA, JwsSigner, JwsVerifier, PS256, RS256},
};
use openssl::pkey::PKey;
use revolve_domain::{keys::Algorithm, ports::SignError};
use serde_json::{Map, Value};
use std::error::Error;
use zeroize::Zeroizing;

pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// A private key, ready to sign.
pub(super) enum Signer {
    Rsa(Box<dyn JwsSigner>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// Reads a private key in PEM form, together with its public half as a JWK.
    pub(super) fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<(Self, Jwk), Cause> {
        Ok(match algorithm {
            Algorithm::Rs256 => (Self::Rsa(Box::new(RS256.signer_from_pem(pem)?)), RS256.key_pair_from_pem(pem)?.to_jwk_public_key()),
            Algorithm::Ps256 => (Self::Rsa(Box::new(PS256.signer_from_pem(pem)?)), PS256.key_pair_from_pem(pem)?.to_jwk_public_key()),
            Algorithm::Es256 => {
                let pair = ES256.key_pair_from_pem(pem)?;
                let der = pkcs8(pem)?;
                (Self::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)?), pair.to_jwk_public_key())
            }
            Algorithm::EdDsa => {
                let pair = EdDSA.key_pair_from_pem(pem)?;
                if pair.curve() != EdCurve::Ed25519 {
                    return Err("only the curve Ed25519 is supported".into());
                }
                let der = pkcs8(pem)?;
                (Self::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)?), pair.to_jwk_public_key())
            }
        })
    }

    /// The signature of a JWS signing input (RFC 7515 §5.1).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Rsa(signer) => signer.sign(message).map_err(|error| SignError(error.into())),
            Self::P256(pair) => match pair.sign(&SystemRandom::new(), message) {
                Ok(signature) => Ok(signature.as_ref().to_vec()),
                Err(error) => Err(SignError(error.into())),
            },
            Self::Ed25519(pair) => match pair.try_sign(message) {
                Ok(signature) => Ok(signature.as_ref().to_vec()),
                Err(error) => Err(SignError(error.into())),
            },
        }
    }
}

/// The same key in the form that aws-lc reads: PKCS #8 with the public key in it.
fn pkcs8(pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, openssl::error::ErrorStack> {
    PKey::private_key_from_pem(pem)?.private_key_to_pkcs8().map(Zeroizing::new)
}

/// A public key, ready to verify.
pub(super) enum Verifier {
    Rsa(Box<dyn JwsVerifier>),
    Curve(ParsedPublicKey),
}

impl Verifier {
    /// Reads a JWK that has what its key type requires (RFC 7518 §6).
    pub(super) fn new(algorithm: Algorithm, jwk: &Map<String, Value>) -> Result<Self, Cause> {
        let member = |name: &str| -> Result<Vec<u8>, Cause> {
            let text = jwk.get(name).and_then(Value::as_str).ok_or_else(|| format!("the key has no `{name}`"))?;
            Ok(URL_SAFE_NO_PAD.decode(text)?)
        };
        let curve = |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| -> Result<Self, Cause> {
            Ok(Self::Curve(ParsedPublicKey::new(algorithm, point)?))
        };
        match algorithm {
            Algorithm::Rs256 => Ok(Self::Rsa(Box::new(RS256.verifier_from_jwk(&Jwk::from_map(jwk.clone())?)?))),
            Algorithm::Ps256 => Ok(Self::Rsa(Box::new(PS256.verifier_from_jwk(&Jwk::from_map(jwk.clone())?)?))),
            // An uncompressed point (SEC 1 §2.3.3).
            Algorithm::Es256 => curve(&ECDSA_P256_SHA256_FIXED, &[&[4], &*member("x")?, &*member("y")?].concat()),
            Algorithm::EdDsa => curve(&ED25519, &member("x")?),
        }
    }

    /// Whether the signature is that of the message by this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(verifier) => verifier.verify(message, signature).is_ok(),
            Self::Curve(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}
