//! Any bytes as the body of `PUT /password`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::password(bytes);
});
