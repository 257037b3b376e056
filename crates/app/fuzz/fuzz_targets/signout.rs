//! Any bytes as the body of `POST /signout`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::sign_out(bytes);
});
