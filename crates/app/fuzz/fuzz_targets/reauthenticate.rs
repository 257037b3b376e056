//! Any bytes as the body of `POST /reauthenticate`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::reauthenticate(bytes);
});
