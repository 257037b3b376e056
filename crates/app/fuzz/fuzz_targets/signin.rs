//! Any bytes as the body of `POST /signin`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::sign_in(bytes);
});
