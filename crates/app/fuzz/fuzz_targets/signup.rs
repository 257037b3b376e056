//! Any bytes as the body of `POST /signup`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::sign_up(bytes);
});
