//! A key pair for ID tokens, used with exactly one algorithm; or its public half, which only verifies.

use super::signature::{Cause, SigningKey, VerifyingKey, private};
use crate::pem;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::{
    jwk::{
        KeyPair,
        alg::{
            ec::EcKeyPair,
            ed::{EdCurve, EdKeyPair},
            rsa::RsaKeyPair,
            rsapss::RsaPssKeyPair,
        },
    },
    jws::{ES256, EdDSA, PS256, RS256},
};
use openssl::{
    bn::BigNumContext,
    pkey::{Id, PKey, Public},
};
use revolve_domain::keys::Algorithm;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// A key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No private key, or one for something else.
    #[error("this is not a private key for {algorithm} in PEM form")]
    Private {
        /// The wanted algorithm.
        algorithm: Algorithm,
        /// The reason.
        #[source]
        source: Cause,
    },
    /// There is not one key in the text.
    #[error(transparent)]
    Pem(Cause),
    /// Neither a private nor a public key, or one for something else.
    #[error("this is not a key for {} in PEM form", .0.map_or("RS256, ES256 or EdDSA", Algorithm::name))]
    Public(Option<Algorithm>),
}

/// A key pair, ready to sign and to verify; or a public key, ready to verify.
pub struct IdKey {
    algorithm: Algorithm,
    id: String,
    pub(super) signer: Option<SigningKey>,
    pub(super) verifier: VerifyingKey,
    public: Map<String, Value>,
}

impl IdKey {
    /// Reads the one private key in a PEM text (PKCS #8, or PKCS #1 for RSA of at least 2048 bits), whatever is around it.
    ///
    /// # Errors
    /// [`KeyError`] if it is no private key, or not one for the algorithm.
    pub fn from_pem(algorithm: Algorithm, pem: &SecretString) -> Result<Self, KeyError> {
        let pem =
            pem::private_key(pem.expose_secret()).map_err(|fault| KeyError::Pem(fault.into()))?;
        Self::load(algorithm, pem.as_bytes())
            .map_err(|source| KeyError::Private { algorithm, source })
    }

    fn load(algorithm: Algorithm, pem: &[u8]) -> Result<Self, Cause> {
        let (signer, required) = SigningKey::from_pem(algorithm, pem)?;
        Self::assemble(algorithm, required, Some(signer))
    }

    /// Reads a key in PEM form, private or public, to verify with alone. Without an algorithm it is the usual one of its
    /// type: RS256, ES256 or EdDSA.
    ///
    /// # Errors
    /// [`KeyError`] if it is no key, or not one for the algorithm.
    pub fn verifying(algorithm: Option<Algorithm>, pem: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError::Public(algorithm);
        let pem = pem::any_key(pem).map_err(|fault| KeyError::Pem(fault.into()))?;
        let (found, required) = public_members(pem.as_bytes())
            .map_err(|_| wrong())?
            .ok_or_else(wrong)?;
        let fits = algorithm.is_none_or(|wanted| {
            wanted == found
                || wanted.alias() == Some(found)
                || (wanted, found) == (Algorithm::Ps256, Algorithm::Rs256)
        });
        let key = fits
            .then(|| Self::assemble(algorithm.unwrap_or(found), required, None).ok())
            .flatten();
        key.ok_or_else(wrong)
    }

    fn assemble(
        algorithm: Algorithm,
        required: Map<String, Value>,
        signer: Option<SigningKey>,
    ) -> Result<Self, Cause> {
        let id = thumbprint(&required);
        let mut public = required;
        public.insert("alg".to_owned(), algorithm.name().into());
        public.insert("use".to_owned(), "sig".into());
        public.insert("kid".to_owned(), id.clone().into());
        let verifier = VerifyingKey::new(algorithm, &public)?;
        Ok(Self {
            algorithm,
            id,
            signer,
            verifier,
            public,
        })
    }

    /// Makes a new private key in PEM form (PKCS #8): RSA of 2048 bits, P-256 or Ed25519.
    ///
    /// # Errors
    /// [`KeyError`] if OpenSSL fails.
    pub fn generate(algorithm: Algorithm) -> Result<SecretString, KeyError> {
        let pem = || -> Result<Vec<u8>, josekit::JoseError> {
            Ok(match algorithm {
                Algorithm::Rs256 => RsaKeyPair::to_pem_private_key(&RS256.generate_key_pair(2048)?),
                Algorithm::Ps256 => {
                    RsaPssKeyPair::to_pem_private_key(&PS256.generate_key_pair(2048)?)
                }
                Algorithm::Es256 => EcKeyPair::to_pem_private_key(&ES256.generate_key_pair()?),
                Algorithm::EdDsa | Algorithm::Ed25519 => {
                    EdKeyPair::to_pem_private_key(&EdDSA.generate_key_pair(EdCurve::Ed25519)?)
                }
            })
        };
        let pem = pem().map_err(|source| KeyError::Private {
            algorithm,
            source: source.into(),
        })?;
        Ok(String::from_utf8_lossy(&pem).into_owned().into())
    }

    /// The algorithm that the key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key id: the RFC 7638 thumbprint.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key as a JWK (RFC 7517).
    pub fn public(&self) -> &Map<String, Value> {
        &self.public
    }
}

type PublicMembers = (Algorithm, Map<String, Value>);

/// The required members of the public key in a PEM text, and the usual algorithm of its type.
fn public_members(pem: &[u8]) -> Result<Option<PublicMembers>, openssl::error::ErrorStack> {
    let key = match PKey::public_key_from_pem(pem) {
        Ok(key) => key,
        // By way of DER the private part is left behind.
        Err(_) => PKey::<Public>::public_key_from_der(&private(pem)?.public_key_to_der()?)?,
    };
    let text = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let (algorithm, members) = match key.id() {
        kind @ (Id::RSA | Id::RSA_PSS) => {
            let (rsa, algorithm) = (
                key.rsa()?,
                if kind == Id::RSA {
                    Algorithm::Rs256
                } else {
                    Algorithm::Ps256
                },
            );
            (
                algorithm,
                json!({ "kty": "RSA", "n": text(rsa.n().to_vec()), "e": text(rsa.e().to_vec()) }),
            )
        }
        Id::EC => {
            let (key, mut x, mut y) = (
                key.ec_key()?,
                openssl::bn::BigNum::new()?,
                openssl::bn::BigNum::new()?,
            );
            if key.group().curve_name() != Some(openssl::nid::Nid::X9_62_PRIME256V1) {
                return Ok(None);
            }
            key.public_key().affine_coordinates(
                key.group(),
                &mut x,
                &mut y,
                &mut *BigNumContext::new()?,
            )?;
            (
                Algorithm::Es256,
                json!({ "kty": "EC", "crv": "P-256", "x": text(x.to_vec_padded(32)?), "y": text(y.to_vec_padded(32)?) }),
            )
        }
        Id::ED25519 => (
            Algorithm::EdDsa,
            json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.raw_public_key()?) }),
        ),
        _ => return Ok(None),
    };
    Ok(members
        .as_object()
        .cloned()
        .map(|members| (algorithm, members)))
}

/// RFC 7638 §3: the SHA-256 of the required members in lexicographic order, without white space.
fn thumbprint(required: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = required.keys().collect();
    names.sort();
    let members: Vec<String> = names
        .into_iter()
        .map(|name| format!("{}:{}", Value::from(name.as_str()), required[name]))
        .collect();
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W\
                 -5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbIS\
                 D08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = serde_json::json!({"e": "AQAB", "kty": "RSA", "n": n});
        assert_eq!(
            thumbprint(key.as_object().unwrap()),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn a_key_of_each_algorithm_is_read_whatever_is_around_it() {
        for algorithm in Algorithm::ALL {
            let pem = IdKey::generate(algorithm).unwrap();
            let id = IdKey::from_pem(algorithm, &pem).unwrap().id().to_owned();
            let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
            let key = pem.expose_secret();
            for text in [
                format!("Bag Attributes\n    localKeyID: 01\n{key}\n\n\n"),
                format!("{certificate}{key}"),
                format!("{key}{certificate}"),
                key.replace('\n', "\r\n"),
            ] {
                let read = IdKey::from_pem(algorithm, &text.as_str().into());
                assert_eq!(read.unwrap().id(), id, "{algorithm}");
                let verifies = IdKey::verifying(Some(algorithm), &text);
                assert_eq!(verifies.unwrap().id(), id, "{algorithm}");
            }
            let refused = IdKey::from_pem(algorithm, &certificate.into())
                .err()
                .unwrap();
            assert!(refused.to_string().contains("but CERTIFICATE"), "{refused}");
        }
    }

    #[test]
    fn a_key_of_each_algorithm_has_no_private_member_in_public_and_fits_no_other_algorithm() {
        for algorithm in Algorithm::ALL {
            let pem = IdKey::generate(algorithm).unwrap();
            let key = IdKey::from_pem(algorithm, &pem).unwrap();
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(
                    !key.public().contains_key(private),
                    "{algorithm}: {private}"
                );
            }
            assert_eq!(key.id(), IdKey::from_pem(algorithm, &pem).unwrap().id());
            let signature = key.signer.as_ref().unwrap().sign(b"message").unwrap();
            assert!(key.verifier.verifies(b"message", &signature));
            assert!(!key.verifier.verifies(b"another", &signature));

            let alone = IdKey::verifying(Some(algorithm), pem.expose_secret()).unwrap();
            assert_eq!(
                (alone.id(), alone.public(), alone.signer.is_none()),
                (key.id(), key.public(), true)
            );
            let public = PKey::private_key_from_pem(pem.expose_secret().as_bytes())
                .map(|key| key.public_key_to_pem().unwrap());
            if let Ok(public) = public {
                let public = String::from_utf8(public).unwrap();
                assert_eq!(
                    IdKey::verifying(Some(algorithm), &public).unwrap().id(),
                    key.id()
                );
                assert!(alone.verifier.verifies(b"message", &signature));
            }
        }
        assert!(IdKey::verifying(None, "no key").is_err());
        let rsa = IdKey::generate(Algorithm::Rs256).unwrap();
        assert!(IdKey::from_pem(Algorithm::Es256, &rsa).is_err());
        assert!(IdKey::from_pem(Algorithm::EdDsa, &rsa).is_err());
        assert!(IdKey::from_pem(Algorithm::Rs256, &SecretString::from("no key")).is_err());
    }

    #[test]
    fn a_key_on_a_curve_is_read_in_its_older_form_too_and_alone() {
        let curve =
            openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
        let pair = openssl::ec::EcKey::generate(&curve).unwrap();
        let text = |pem: Vec<u8>| SecretString::from(String::from_utf8(pem).unwrap());
        let (older, key) = (
            text(pair.private_key_to_pem().unwrap()),
            PKey::from_ec_key(pair.clone()).unwrap(),
        );
        let usual = text(key.private_key_to_pem_pkcs8().unwrap());
        let read = |pem: &SecretString| IdKey::from_pem(Algorithm::Es256, pem);
        let id = read(&usual).unwrap().id().to_owned();
        assert_eq!(read(&older).unwrap().id(), id);
        assert_eq!(
            IdKey::verifying(None, usual.expose_secret()).unwrap().id(),
            id
        );

        // Not all programs write the public half into it, which is optional (RFC 5915 §3).
        let head = b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";
        let half =
            STANDARD.encode([&head[..], &pair.private_key().to_vec_padded(32).unwrap()].concat());
        let half = SecretString::from(format!(
            "-----BEGIN PRIVATE KEY-----\n{half}\n-----END PRIVATE KEY-----\n"
        ));
        assert_eq!(read(&half).unwrap().id(), id);

        // Two keys are ambiguous, and no passphrase can be asked for.
        let encrypted = text(
            key.private_key_to_pem_pkcs8_passphrase(
                openssl::symm::Cipher::aes_128_cbc(),
                b"secret",
            )
            .unwrap(),
        );
        let both = |one: &SecretString, other: &SecretString| {
            format!("{}{}", one.expose_secret(), other.expose_secret()).into()
        };
        let other = IdKey::generate(Algorithm::Es256).unwrap();
        let after_text = format!("Key: {}", usual.expose_secret()).into();
        for wrong in [
            encrypted.clone(),
            both(&usual, &other),
            both(&older, &usual),
            both(&usual, &older),
            after_text,
        ] {
            assert!(read(&wrong).is_err());
        }
        assert!(IdKey::verifying(None, encrypted.expose_secret()).is_err());
    }
}
