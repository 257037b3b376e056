//! What verifying a token costs over the bare signature check: `cargo bench -p revolve-verify`. Both are measured in turns in one
//! run, so that a machine that is busy or slow is so for both.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails fails")]

#[path = "../tests/verify/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_verify::Algorithm;
use std::{hint::black_box, time::Instant};
use support::{TestKey, claims, verifier};

const ROUNDS: usize = 1001;
const PER_ROUND: u32 = 50;

fn public(key: &TestKey) -> ParsedPublicKey {
    let number = |name: &str| {
        URL_SAFE_NO_PAD
            .decode(key.jwk[name].as_str().unwrap())
            .unwrap()
    };
    let rsa = || RsaPublicKeyComponents {
        n: number("n"),
        e: number("e"),
    };
    match key.algorithm {
        Algorithm::Rs256 => rsa().to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Ps256 => rsa().to_parsed_public_key(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Es256 => ParsedPublicKey::new(
            &signature::ECDSA_P256_SHA256_FIXED,
            [vec![4], number("x"), number("y")].concat(),
        ),
        Algorithm::EdDsa | Algorithm::Ed25519 => {
            ParsedPublicKey::new(&signature::ED25519, number("x"))
        }
    }
    .unwrap()
}

/// Microseconds for one.
fn time(mut work: impl FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..PER_ROUND {
        work();
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(PER_ROUND)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    println!(
        "algorithm  bare check  verification  more    ratio   (µs, medians of {ROUNDS} × {PER_ROUND})"
    );
    let mut rs256 = f64::INFINITY;
    for algorithm in Algorithm::ALL {
        let key = TestKey::of_issuer(algorithm);
        let (verifier, _) = verifier(&[&key]);
        let token = key.token(&claims());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (public, signature) = (public(&key), URL_SAFE_NO_PAD.decode(signature).unwrap());
        let (mut bare, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bare.push(time(|| {
                public
                    .verify_sig(black_box(message.as_bytes()), black_box(&signature))
                    .unwrap();
            }));
            whole.push(time(|| {
                drop(black_box(
                    verifier.verify_at_hand(black_box(&token)).unwrap(),
                ));
            }));
        }
        // Of neighbours in time, so that a load that comes and goes doesn't count.
        let ratio = median(
            whole
                .iter()
                .zip(&bare)
                .map(|(whole, bare)| whole / bare)
                .collect(),
        );
        let (bare, whole) = (median(bare), median(whole));
        println!(
            "{algorithm:<10} {bare:>10.2} {whole:>13.2} {:>5.2} {ratio:>8.3}",
            whole - bare
        );
        if algorithm == Algorithm::Rs256 {
            rs256 = ratio;
        }
    }
    assert!(
        rs256 <= 1.3,
        "verification costs more than 1.3 × the bare check"
    );
}
