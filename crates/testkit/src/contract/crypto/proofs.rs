//! The contract of [`ProofSecrets`].

use crate::contract::given::proof_id;
use revolve_domain::ports::ProofSecrets;
use secrecy::{ExposeSecret, SecretString};
use std::{collections::HashSet, sync::Arc};

/// A code has six digits, each of the ten at each place among many codes.
pub async fn a_code_has_six_digits(secrets: &Arc<dyn ProofSecrets>) {
    let mut seen = HashSet::new();
    for _ in 0..500 {
        let code = secrets.code(proof_id(), 1);
        let code = code.expose_secret();
        assert_eq!(code.len(), 6, "six characters");
        assert!(code.bytes().all(|digit| digit.is_ascii_digit()), "digits");
        seen.extend(code.bytes().enumerate());
    }
    assert_eq!(seen.len(), 60, "no digit is missing at any place");
}

/// A link's secret can't be guessed and needs no escape in a URL.
pub async fn a_secret_fits_into_a_link(secrets: &Arc<dyn ProofSecrets>) {
    let secret = secrets.secret(proof_id(), 1);
    let text = secret.expose_secret();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    assert!(
        text.chars().all(fits) && (22..=64).contains(&text.len()),
        "at least 128 bits in base64url"
    );
}

/// The same proof and serial always give the same; another proof or serial gives another.
pub async fn secrets_depend_on_proof_and_serial(secrets: &Arc<dyn ProofSecrets>) {
    let (one, other) = (proof_id(), proof_id());
    let of = |proof, serial| {
        let (code, secret) = (secrets.code(proof, serial), secrets.secret(proof, serial));
        (
            code.expose_secret().to_owned(),
            secret.expose_secret().to_owned(),
        )
    };
    assert_eq!(of(one, 1), of(one, 1), "nothing is random");
    assert_ne!(of(one, 1).1, of(one, 2).1, "each serial has its secret");
    assert_ne!(of(one, 1).1, of(other, 1).1, "each proof has its secret");
    let codes: HashSet<_> = (1..=50).map(|serial| of(one, serial).0).collect();
    assert!(codes.len() > 40, "each serial has its code");
}

/// Only the proof's own code and secret count, and neither stands in for the other.
pub async fn only_its_own_secrets_count(secrets: &Arc<dyn ProofSecrets>) {
    let proof = proof_id();
    let (code, secret) = (secrets.code(proof, 1), secrets.secret(proof, 1));
    assert!(secrets.is_code(proof, 1, &code) && secrets.is_secret(proof, 1, &secret));
    assert!(!secrets.is_code(proof, 1, &secret) && !secrets.is_secret(proof, 1, &code));
    assert!(!secrets.is_secret(proof_id(), 1, &secret), "another proof");
    assert!(!secrets.is_secret(proof, 2, &secret), "another serial");
    let code = code.expose_secret();
    for wrong in ["", &code[..5], &format!("{code}0"), &format!(" {code}")] {
        assert!(!secrets.is_code(proof, 1, &SecretString::from(wrong)));
    }
}
