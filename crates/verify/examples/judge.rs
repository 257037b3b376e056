//! Judges tokens: `cargo run -p revolve-verify --example judge -- ISSUER AUDIENCE KEY_SET_FILE`, then one token per line on standard
//! input, and one line of answer for each: `accepted <uid> <email>`, or `refused: ` and why.

use revolve_verify::{JwkSet, SystemClock, Verifier, VerifierConfig};
use std::{
    env,
    error::Error,
    fs,
    io::{self, BufRead, Write},
    sync::Arc,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [issuer, audience, key_set] = arguments.as_slice() else {
        return Err("say the issuer, the audience and the key set's file".into());
    };
    let keys = JwkSet::from_json(&fs::read(key_set)?)?;
    let verifier = Verifier::with_keys(
        &VerifierConfig::new(issuer, audience),
        keys,
        Arc::new(SystemClock),
    );
    let mut answer = io::stdout().lock();
    for token in io::stdin().lock().lines() {
        match verifier.verify_at_hand(&token?) {
            Ok(claims) => writeln!(answer, "accepted {} {}", claims.user.uid, claims.user.email)?,
            Err(error) => writeln!(answer, "refused: {error}")?,
        }
    }
    Ok(())
}
