//! Keys that sign: the issuer's, and those of attackers.

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_verify::Algorithm;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// Base64url without padding.
pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

enum TestKeyPair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A key pair for one algorithm.
pub(crate) struct TestKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) id: String,
    pub(crate) jwk: Value,
    pub(crate) pkcs8: Vec<u8>,
    pair: TestKeyPair,
}

impl TestKey {
    /// A new key pair.
    pub(crate) fn generate(algorithm: Algorithm) -> Self {
        let (pair, pkcs8, required) = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let public = pair.public_key().as_ref();
                // RFC 8017 §A.1.1, for 2048 bits and the exponent 65537.
                let (n, e) = (&public[9..265], &public[267..]);
                assert_eq!((public.len(), e), (270, &[1, 0, 1][..]));
                let required = json!({ "e": b64(e), "kty": "RSA", "n": b64(n) });
                let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair)
                    .unwrap()
                    .as_ref()
                    .to_vec();
                (TestKeyPair::Rsa(pair), pkcs8, required)
            }
            Algorithm::Es256 => {
                let pair =
                    EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                let point = pair.public_key().as_ref();
                let required = json!({ "crv": "P-256", "kty": "EC", "x": b64(&point[1..33]), "y": b64(&point[33..]) });
                let pkcs8 = pair.to_pkcs8v1().unwrap().as_ref().to_vec();
                (TestKeyPair::Ec(pair), pkcs8, required)
            }
            Algorithm::EdDsa | Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let required =
                    json!({ "crv": "Ed25519", "kty": "OKP", "x": b64(pair.public_key().as_ref()) });
                let pkcs8 = pair.to_pkcs8v1().unwrap().as_ref().to_vec();
                (TestKeyPair::Ed(pair), pkcs8, required)
            }
        };
        // RFC 7638 §3. The literals above are in order, but maps keep it only with a feature of serde_json.
        let ordered: std::collections::BTreeMap<_, _> =
            required.as_object().unwrap().iter().collect();
        let id = b64(digest::digest(
            &digest::SHA256,
            serde_json::to_string(&ordered).unwrap().as_bytes(),
        ));
        let mut jwk = required;
        jwk["alg"] = algorithm.name().into();
        jwk["use"] = "sig".into();
        jwk["kid"] = id.clone().into();
        Self {
            algorithm,
            id,
            jwk,
            pkcs8,
            pair,
        }
    }

    /// The issuer's key for an algorithm, the same in all tests of this process.
    pub(crate) fn of_issuer(algorithm: Algorithm) -> Arc<Self> {
        static KEYS: [OnceLock<Arc<TestKey>>; Algorithm::ALL.len()] =
            [const { OnceLock::new() }; Algorithm::ALL.len()];
        let index = Algorithm::ALL
            .iter()
            .position(|known| *known == algorithm)
            .unwrap();
        Arc::clone(KEYS[index].get_or_init(|| Arc::new(Self::generate(algorithm))))
    }

    /// The private key in PEM form.
    pub(crate) fn pem(&self) -> String {
        let text = STANDARD.encode(if self.algorithm == Algorithm::Ps256 {
            pss(&self.pkcs8)
        } else {
            self.pkcs8.clone()
        });
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        )
    }

    /// The public key in DER form (RFC 5280 §4.1.2.7).
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let encode = |public: &dyn AsDer<aws_lc_rs::encoding::PublicKeyX509Der<'static>>| {
            public.as_der().unwrap().as_ref().to_vec()
        };
        match &self.pair {
            TestKeyPair::Rsa(pair) => encode(pair.public_key()),
            TestKeyPair::Ec(pair) => encode(pair.public_key()),
            TestKeyPair::Ed(pair) => encode(pair.public_key()),
        }
    }

    /// The signature as a token has it.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            TestKeyPair::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding =
                    if self.algorithm == Algorithm::Rs256 {
                        &signature::RSA_PKCS1_SHA256
                    } else {
                        &signature::RSA_PSS_SHA256
                    };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            TestKeyPair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            TestKeyPair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The header that the service writes.
    pub(crate) fn header(&self, typ: &str) -> Value {
        json!({ "alg": self.algorithm.name(), "kid": self.id, "typ": typ })
    }

    /// Signs any header and any payload.
    pub(crate) fn token_of(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", b64(header), b64(payload));
        let signature = self.sign(message.as_bytes());
        format!("{message}.{}", b64(signature))
    }

    /// Signs as the service does.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_of(self.header("JWT").to_string(), claims.to_string())
    }
}

/// An RSA key of 2048 bits whose algorithm identifier says that it is for PSS with SHA-256 alone (RFC 4055 §3.1).
fn pss(pkcs8: &[u8]) -> Vec<u8> {
    const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    const PSS: &[u8] = b"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\xa2\x03\x02\x01\x20";
    // SEQUENCE, two bytes of length; INTEGER 0; then the identifier.
    let key = pkcs8[7..].strip_prefix(RSA).unwrap();
    let body = [&pkcs8[4..7], PSS, key].concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82], &length[..], &body].concat()
}

/// A key set as it is served.
pub(crate) fn key_set(keys: &[&TestKey]) -> String {
    json!({ "keys": keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() }).to_string()
}
