//! Signatures of ID tokens: RSA by josekit, elliptic curves by aws-lc, which the stores' TLS links anyway and which takes less CPU for
//! them (ADR 27).

use aws_lc_rs::{
    error::KeyRejected,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, ParsedPublicKey, VerificationAlgorithm,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use josekit::{
    jwk::{Jwk, KeyPair as _},
    jws::{JwsSigner, JwsVerifier, PS256, RS256},
};
use openssl::{
    error::ErrorStack,
    pkey::{PKey, Private},
};
use revolve_domain::{keys::Algorithm, ports::SignError};
use serde_json::{Map, Value};
use std::error::Error;
use zeroize::Zeroizing;

pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// A private key, ready to sign.
pub(super) enum SigningKey {
    Rsa(Box<dyn JwsSigner>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a private key in PEM form, and the members that a JWK of its public half must have (RFC 7518 §6, RFC 8037 §2).
    pub(super) fn from_pem(
        algorithm: Algorithm,
        pem: &[u8],
    ) -> Result<(Self, Map<String, Value>), Cause> {
        Ok(match algorithm {
            Algorithm::Rs256 => (
                Self::Rsa(Box::new(RS256.signer_from_pem(pem)?)),
                rsa(&RS256.key_pair_from_pem(pem)?.to_jwk_public_key()),
            ),
            Algorithm::Ps256 => (
                Self::Rsa(Box::new(PS256.signer_from_pem(pem)?)),
                rsa(&PS256.key_pair_from_pem(pem)?.to_jwk_public_key()),
            ),
            Algorithm::Es256 => {
                let pair = pair(pem, |der| {
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                })?;
                // An uncompressed point (SEC 1 §2.3.3).
                let point = pair
                    .public_key()
                    .as_ref()
                    .strip_prefix(&[4])
                    .ok_or("the point is compressed")?;
                let (x, y) = point.split_at(point.len() / 2);
                let members = public([
                    ("kty", "EC".to_owned()),
                    ("crv", "P-256".to_owned()),
                    ("x", text(x)),
                    ("y", text(y)),
                ]);
                (Self::P256(pair), members)
            }
            Algorithm::EdDsa | Algorithm::Ed25519 => {
                let pair = pair(pem, Ed25519KeyPair::from_pkcs8_maybe_unchecked)?;
                let x = text(pair.public_key().as_ref());
                (
                    Self::Ed25519(pair),
                    public([
                        ("kty", "OKP".to_owned()),
                        ("crv", "Ed25519".to_owned()),
                        ("x", x),
                    ]),
                )
            }
        })
    }

    /// The signature of a JWS signing input (RFC 7515 §5.1).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Rsa(signer) => signer
                .sign(message)
                .map_err(|error| SignError(error.into())),
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

/// Reads one block of PEM; PKCS #8, the form that keys are made in, without OpenSSL, whose decoders would stay in memory.
fn pair<T>(pem: &[u8], read: impl Fn(&[u8]) -> Result<T, KeyRejected>) -> Result<T, Cause> {
    let text = std::str::from_utf8(pem)?.trim();
    if let Some(der) = pkcs8(text) {
        return Ok(read(&der)?);
    }
    // Another form (RFC 5915).
    Ok(read(&Zeroizing::new(
        private(pem)?.private_key_to_pkcs8()?,
    ))?)
}

/// The content of a PEM text that is one block of PKCS #8 (RFC 7468 §10), unencrypted.
fn pkcs8(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let block = text
        .strip_prefix("-----BEGIN PRIVATE KEY-----")?
        .strip_suffix("-----END PRIVATE KEY-----")?;
    let mut packed = Zeroizing::new(String::with_capacity(block.len()));
    packed.extend(block.split_ascii_whitespace());
    STANDARD.decode(packed.as_bytes()).map(Zeroizing::new).ok()
}

/// Reads with OpenSSL. It does not prompt for the passphrase of an encrypted key.
pub(super) fn private(pem: &[u8]) -> Result<PKey<Private>, ErrorStack> {
    PKey::private_key_from_pem_callback(pem, |_| Err(ErrorStack::get()))
}

/// Of the members that the library gives, those that the standard lists as public.
fn rsa(jwk: &Jwk) -> Map<String, Value> {
    ["e", "kty", "n"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), jwk.parameter(name)?.clone())))
        .collect()
}

fn public<const N: usize>(members: [(&str, String); N]) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A public key, ready to verify.
pub(super) enum VerifyingKey {
    Rsa(Box<dyn JwsVerifier>),
    Curve(ParsedPublicKey),
}

impl VerifyingKey {
    /// Reads a JWK that has the members that its key type requires (RFC 7518 §6).
    pub(super) fn new(algorithm: Algorithm, jwk: &Map<String, Value>) -> Result<Self, Cause> {
        let member = |name: &str| -> Result<Vec<u8>, Cause> {
            let text = jwk
                .get(name)
                .and_then(Value::as_str)
                .ok_or_else(|| format!("the key has no `{name}`"))?;
            Ok(URL_SAFE_NO_PAD.decode(text)?)
        };
        let curve =
            |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| -> Result<Self, Cause> {
                Ok(Self::Curve(ParsedPublicKey::new(algorithm, point)?))
            };
        match algorithm {
            Algorithm::Rs256 => Ok(Self::Rsa(Box::new(
                RS256.verifier_from_jwk(&Jwk::from_map(jwk.clone())?)?,
            ))),
            Algorithm::Ps256 => Ok(Self::Rsa(Box::new(
                PS256.verifier_from_jwk(&Jwk::from_map(jwk.clone())?)?,
            ))),
            // An uncompressed point (SEC 1 §2.3.3).
            Algorithm::Es256 => curve(
                &ECDSA_P256_SHA256_FIXED,
                &[&[4], &*member("x")?, &*member("y")?].concat(),
            ),
            Algorithm::EdDsa | Algorithm::Ed25519 => curve(&ED25519, &member("x")?),
        }
    }

    /// Whether this key made the signature of the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(verifier) => verifier.verify(message, signature).is_ok(),
            Self::Curve(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}
