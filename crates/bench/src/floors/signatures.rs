//! Signatures, bare: OpenSSL itself, the token library over it with signers that were built before, and aws-lc for comparison.

use std::{hint::black_box, time::Duration};

use anyhow::Result;
use aws_lc_rs::{
    hmac as aws_hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
        UnparsedPublicKey, VerificationAlgorithm,
    },
};
use josekit::jws::{ES256, EdDSA, HS256, JwsSigner, JwsVerifier, RS256};
use openssl::{
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    sign::{Signer, Verifier},
};

use super::{Figures, each};

/// About as much as is signed in an ID token.
const MESSAGE: [u8; 600] = [b'e'; 600];

pub(super) fn measure(figures: &mut Figures, lasts: Duration) -> Result<()> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let keys: [(&str, PKey<Private>, bool); 3] = [
        ("RS256", PKey::from_rsa(Rsa::generate(2048)?)?, true),
        ("ES256", PKey::from_ec_key(EcKey::generate(&group)?)?, true),
        ("EdDSA", PKey::generate_ed25519()?, false),
    ];
    for (name, key, digest) in &keys {
        openssl(figures, lasts, name, key, *digest)?;
        let pem = key.private_key_to_pem_pkcs8()?;
        let public = key.public_key_to_pem()?;
        let (signer, verifier): (Box<dyn JwsSigner>, Box<dyn JwsVerifier>) = match *name {
            "RS256" => (
                Box::new(RS256.signer_from_pem(&pem)?),
                Box::new(RS256.verifier_from_pem(&public)?),
            ),
            "ES256" => (
                Box::new(ES256.signer_from_pem(&pem)?),
                Box::new(ES256.verifier_from_pem(&public)?),
            ),
            _ => (
                Box::new(EdDSA.signer_from_pem(&pem)?),
                Box::new(EdDSA.verifier_from_pem(&public)?),
            ),
        };
        library(figures, lasts, name, signer.as_ref(), verifier.as_ref())?;
        aws_lc(figures, lasts, name, &key.private_key_to_pkcs8()?)?;
    }
    secret(figures, lasts)
}

fn openssl(
    figures: &mut Figures,
    lasts: Duration,
    name: &str,
    key: &PKey<Private>,
    digest: bool,
) -> Result<()> {
    let signer = || {
        if digest {
            Signer::new(MessageDigest::sha256(), key)
        } else {
            Signer::new_without_digest(key)
        }
    };
    let verifier = || {
        if digest {
            Verifier::new(MessageDigest::sha256(), key)
        } else {
            Verifier::new_without_digest(key)
        }
    };
    let mut signature = signer()?.sign_oneshot_to_vec(&MESSAGE)?;
    let sign = each(lasts, || {
        signature = signer()?.sign_oneshot_to_vec(black_box(&MESSAGE))?;
        Ok(())
    })?;
    let verify = each(lasts, || {
        anyhow::ensure!(
            verifier()?.verify_oneshot(&signature, black_box(&MESSAGE))?,
            "the signature is good"
        );
        Ok(())
    })?;
    keep(figures, name, "raw", sign, verify);
    Ok(())
}

fn library(
    figures: &mut Figures,
    lasts: Duration,
    name: &str,
    signer: &dyn JwsSigner,
    verifier: &dyn JwsVerifier,
) -> Result<()> {
    let signature = signer.sign(&MESSAGE)?;
    let sign = each(lasts, || Ok(signer.sign(black_box(&MESSAGE))?))?;
    let verify = each(lasts, || {
        Ok(verifier.verify(black_box(&MESSAGE), &signature)?)
    })?;
    keep(figures, name, "library", sign, verify);
    Ok(())
}

fn aws_lc(figures: &mut Figures, lasts: Duration, name: &str, pkcs8: &[u8]) -> Result<()> {
    let random = SystemRandom::new();
    let mut signature = vec![0; 256];
    match name {
        "RS256" => {
            let key = RsaKeyPair::from_pkcs8(pkcs8)?;
            let sign = each(lasts, || {
                Ok(key.sign(
                    &RSA_PKCS1_SHA256,
                    &random,
                    black_box(&MESSAGE),
                    &mut signature,
                )?)
            })?;
            let public = rsa::KeyPair::public_key(&key).as_ref();
            let verify = verify(lasts, &RSA_PKCS1_2048_8192_SHA256, public, &signature)?;
            keep(figures, name, "aws_lc", sign, verify);
        }
        "ES256" => {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?;
            let sign = each(lasts, || Ok(key.sign(&random, black_box(&MESSAGE))?))?;
            let signature = key.sign(&random, &MESSAGE)?;
            let verify = verify(
                lasts,
                &ECDSA_P256_SHA256_FIXED,
                key.public_key().as_ref(),
                signature.as_ref(),
            )?;
            keep(figures, name, "aws_lc", sign, verify);
        }
        _ => {
            let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)?;
            let sign = each(lasts, || Ok(key.sign(black_box(&MESSAGE))))?;
            let signature = key.sign(&MESSAGE);
            let verify = verify(
                lasts,
                &ED25519,
                key.public_key().as_ref(),
                signature.as_ref(),
            )?;
            keep(figures, name, "aws_lc", sign, verify);
        }
    }
    Ok(())
}

fn verify(
    lasts: Duration,
    algorithm: &'static dyn VerificationAlgorithm,
    public: &[u8],
    signature: &[u8],
) -> Result<f64> {
    let key = UnparsedPublicKey::new(algorithm, public);
    each(lasts, || Ok(key.verify(black_box(&MESSAGE), signature)?))
}

/// HS256: to verify is to sign and to compare.
fn secret(figures: &mut Figures, lasts: Duration) -> Result<()> {
    let secret = [7; 32];
    let key = PKey::hmac(&secret)?;
    let raw = each(lasts, || {
        Ok(Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(black_box(&MESSAGE))?)
    })?;
    keep(figures, "HS256", "raw", raw, raw);
    let (signer, verifier) = (
        HS256.signer_from_bytes(secret)?,
        HS256.verifier_from_bytes(secret)?,
    );
    library(figures, lasts, "HS256", &signer, &verifier)?;
    let key = aws_hmac::Key::new(aws_hmac::HMAC_SHA256, &secret);
    let aws = each(lasts, || Ok(aws_hmac::sign(&key, black_box(&MESSAGE))))?;
    keep(figures, "HS256", "aws_lc", aws, aws);
    Ok(())
}

fn keep(figures: &mut Figures, name: &str, how: &str, sign: f64, verify: f64) {
    figures.insert(format!("{name}.sign.{how}"), sign);
    figures.insert(format!("{name}.verify.{how}"), verify);
}
