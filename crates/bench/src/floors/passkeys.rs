//! The service's verification of a sign-in by passkey, from the browser's JSON on, and the bare check of a signature. Both are done in turns, so that
//! a machine that is busy or slow is so for both. A passkey's key is read for each sign-in, so the bare check reads it, too.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
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
    ports::{PasskeyCeremonies as _, PasskeyOwner},
};
use revolve_testkit::authenticator::VirtualAuthenticator;

use super::{Figures, cpu, micros};

const PER_TURN: u32 = 20;
const ORIGIN: &str = "https://accounts.example.org";
/// Authenticator data and the hash of the client data.
const SIGNED: [u8; 37 + 32] = [7; 69];

pub(super) fn measure(figures: &mut Figures, lasts: Duration) -> Result<()> {
    let (mut check, mut sign_in) = (bare_check()?, sign_in()?);
    let (mut checks, mut sign_ins) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < lasts || checks.is_empty() {
        checks.push(turn(&mut check)?);
        sign_ins.push(turn(&mut sign_in)?);
    }
    figures.insert("passkey.signature".to_owned(), median(checks));
    figures.insert("passkey.verify".to_owned(), median(sign_ins));
    Ok(())
}

/// Microseconds for one.
fn turn(work: &mut impl FnMut() -> Result<()>) -> Result<f64> {
    let before = cpu();
    for _ in 0..PER_TURN {
        work()?;
    }
    Ok(micros(cpu().saturating_sub(before), PER_TURN))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A signature check alone.
fn bare_check() -> Result<impl FnMut() -> Result<()>> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
    let signature = key.sign(&SystemRandom::new(), &SIGNED)?;
    let public = key.public_key().as_ref().to_vec();
    Ok(move || {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, black_box(&public))
            .verify(black_box(&SIGNED), signature.as_ref())?;
        Ok(())
    })
}

/// The sign-in.
fn sign_in() -> Result<impl FnMut() -> Result<()>> {
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
    let begun = ceremonies.begin_registration(&owner).map_err(failed)?;
    let created = authenticator.create(&begun.options, ORIGIN);
    let stored = ceremonies
        .finish_registration(&begun.state, &created)
        .map_err(failed)?;
    let begun = ceremonies.begin_sign_in(None).map_err(failed)?;
    let shown = authenticator
        .get(&begun.options, ORIGIN)
        .context("it has a passkey")?;
    Ok(move || {
        let signed_in =
            ceremonies.finish_sign_in(&begun.state, black_box(&stored), black_box(&shown));
        black_box(signed_in.map_err(failed)?);
        Ok(())
    })
}

fn failed(error: impl std::fmt::Debug) -> anyhow::Error {
    anyhow!("{error:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_contains_a_check_of_a_signature() {
        let mut figures = Figures::new();
        measure(&mut figures, Duration::from_millis(200)).unwrap();
        let (check, sign_in) = (figures["passkey.signature"], figures["passkey.verify"]);
        assert!(check > 0.0 && sign_in > check, "{figures:?}");
    }
}
