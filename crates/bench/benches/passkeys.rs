//! What verifying a passkey costs over the bare check of its signature: `cargo bench -p revolve-bench --bench passkeys`. Both are measured in turns, so
//! that a machine that is busy or slow is so for both. A passkey's key is read for each sign-in, so the bare check reads it, too.
#![expect(clippy::expect_used, reason = "a benchmark that can't go on fails")]

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use revolve_adapters::passkeys::{PasskiCeremonies, RelyingParty};
use revolve_domain::{
    model::UserId,
    ports::{PasskeyCeremonies, PasskeyOwner},
};
use revolve_testkit::authenticator::VirtualAuthenticator;
use std::{hint::black_box, time::Instant};

const ROUNDS: usize = 1001;
const PER_ROUND: u32 = 20;
const ORIGIN: &str = "https://accounts.example.org";
/// Authenticator data and the hash of the client data.
const SIGNED: [u8; 37 + 32] = [7; 69];

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

/// A signature check alone.
fn bare_check() -> impl FnMut() {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key is made");
    let signature = key
        .sign(&SystemRandom::new(), &SIGNED)
        .expect("it is signed");
    let public = key.public_key().as_ref().to_vec();
    move || {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, black_box(&public))
            .verify(black_box(&SIGNED), signature.as_ref())
            .expect("it is right");
    }
}

/// The sign-in, from the JSON of the browser on.
fn sign_in() -> impl FnMut() {
    let ceremonies = PasskiCeremonies::new(&RelyingParty {
        id: "example.org".to_owned(),
        name: "Example".to_owned(),
        origins: vec![ORIGIN.to_owned()],
    });
    let mut authenticator = VirtualAuthenticator::default();
    let owner = PasskeyOwner {
        user: UserId::from_random([1; 16]),
        name: "ann@example.org",
        display_name: "Ann",
        exclude: &[],
    };
    let begun = ceremonies.begin_registration(&owner).expect("it is begun");
    let created = authenticator.create(&begun.options, ORIGIN);
    let stored = ceremonies
        .finish_registration(&begun.state, &created)
        .expect("it is registered");
    let begun = ceremonies.begin_sign_in(None).expect("it is begun");
    let shown = authenticator
        .get(&begun.options, ORIGIN)
        .expect("it has a passkey");
    move || {
        ceremonies
            .finish_sign_in(&begun.state, black_box(&stored), black_box(&shown))
            .expect("it is right");
    }
}

fn main() {
    let (mut check, mut whole) = (bare_check(), sign_in());
    let turns: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| (time(&mut check), time(&mut whole)))
        .collect();
    let (bare, all) = (
        median(turns.iter().map(|(bare, _)| *bare).collect()),
        median(turns.iter().map(|(_, whole)| *whole).collect()),
    );
    // Of neighbours in time, so that a load that comes and goes doesn't count.
    let ratio = median(turns.iter().map(|(bare, whole)| whole / bare).collect());
    println!(
        "bare check {bare:.2} µs, sign-in {all:.2} µs, {:.2} more, ratio {ratio:.3} (medians of {ROUNDS} × {PER_ROUND})",
        all - bare
    );
    let over = median(
        turns
            .iter()
            .map(|(bare, whole)| whole - 1.3 * bare)
            .collect(),
    );
    assert!(
        over <= 30.0,
        "verification costs more than 1.3 × the bare check and 30 µs"
    );
}
