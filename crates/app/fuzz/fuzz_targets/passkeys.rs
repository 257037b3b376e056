//! Any bytes as a passkey's registration or sign-in: as JSON, or as one of the parts that it has in base64url.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::passkeys(bytes);
});
