//! The issuer's public keys (RFC 7517 §5), each for exactly one algorithm.

use crate::{algorithm::Algorithm, error::VerifyError, json};
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc};

/// A text is no usable JWK set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwkSetError {
    /// It is not JSON with `keys`, or names a member twice.
    #[error("this is no JWK set")]
    Malformed(#[source] serde_json::Error),
    /// Two usable keys have the same `kid`, so that a token would not name one key.
    #[error("two keys of the JWK set have the same `kid`")]
    Ambiguous,
    /// No key can be used: each lacks `kid` or `alg`, or is of a kind that is not known here.
    #[error("no key of the JWK set can be used")]
    Empty,
}

/// Public keys by key id.
#[derive(Clone, Debug, Default)]
pub struct JwkSet(HashMap<String, Arc<VerifyingKey>>);

/// A public key, ready to verify.
#[derive(Debug)]
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    public: ParsedPublicKey,
}

#[derive(Deserialize)]
struct WireSet {
    keys: Vec<serde_json::Map<String, serde_json::Value>>,
}

impl JwkSet {
    /// Reads a JWK set. Keys without `kid` or `alg`, of other types or uses, too short ones, and any that come with private
    /// members are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// [`JwkSetError`], also if no key is left.
    pub fn from_json(text: &[u8]) -> Result<Self, JwkSetError> {
        let set: WireSet = json::parse(text).map_err(JwkSetError::Malformed)?;
        let mut keys = HashMap::new();
        for jwk in set.keys {
            let text = |name: &str| jwk.get(name).and_then(serde_json::Value::as_str);
            match (text("kid"), VerifyingKey::from_jwk(&jwk)) {
                (Some(id), Some(key)) if !id.is_empty() => {
                    if keys.insert(id.to_owned(), Arc::new(key)).is_some() {
                        return Err(JwkSetError::Ambiguous);
                    }
                }
                (id, _) => tracing::debug!(kid = id, "a key of the key set can't be used"),
            }
        }
        if keys.is_empty() {
            Err(JwkSetError::Empty)
        } else {
            Ok(Self(keys))
        }
    }

    /// The algorithm of the key with this id.
    pub fn algorithm(&self, key_id: &str) -> Option<Algorithm> {
        self.0.get(key_id).map(|key| key.algorithm)
    }

    pub(crate) fn get(&self, key_id: &str) -> Option<&Arc<VerifyingKey>> {
        self.0.get(key_id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl VerifyingKey {
    fn from_jwk(jwk: &serde_json::Map<String, serde_json::Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(serde_json::Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let coordinate = |name: &str| bytes(name).filter(|bytes| bytes.len() == 32);
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|algorithm| text("alg") == Some(algorithm.name()))?;
        let for_signatures = jwk.get("use").is_none_or(|usage| usage == "sig");
        if text("kty") != Some(algorithm.key_type()) || !for_signatures || jwk.contains_key("d") {
            return None;
        }
        let rsa = || {
            // The library checks the size only when it verifies.
            let n = bytes("n").filter(|n| (256..=1024).contains(&n.len()))?;
            Some(RsaPublicKeyComponents { n, e: bytes("e")? })
        };
        let public = match algorithm {
            Algorithm::Rs256 => rsa()?
                .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
                .ok()?,
            Algorithm::Ps256 => rsa()?
                .to_parsed_public_key(&signature::RSA_PSS_2048_8192_SHA256)
                .ok()?,
            Algorithm::Es256 if text("crv") == Some("P-256") => {
                // RFC 5480 §2.2: the point, uncompressed.
                let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).ok()?
            }
            Algorithm::EdDsa | Algorithm::Ed25519 if text("crv") == Some("Ed25519") => {
                ParsedPublicKey::new(&signature::ED25519, coordinate("x")?).ok()?
            }
            Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Ed25519 => return None,
        };
        Some(Self { algorithm, public })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        self.public
            .verify_sig(message, signature)
            .map_err(|_| VerifyError::Signature)
    }
}
