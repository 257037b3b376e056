//! Any text as a token, and any bytes as a key set: nothing panics, and no forged signature is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revolve_verify::{JwkSet, SystemClock, Verifier, VerifierConfig};
use std::sync::{Arc, LazyLock};

/// The public key of RFC 8037 §A.2; its private half is public, but no input is likely to be a signature.
const KEY_SET: &[u8] =
    br#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let keys = JwkSet::from_json(KEY_SET).expect("the key set is right");
    Verifier::with_keys(
        &VerifierConfig::new("https://i.example", "a"),
        keys,
        Arc::new(SystemClock),
    )
});

fuzz_target!(|bytes: &[u8]| {
    drop(JwkSet::from_json(bytes));
    if let Ok(token) = std::str::from_utf8(bytes) {
        assert!(VERIFIER.verify_at_hand(token).is_err());
    }
});
