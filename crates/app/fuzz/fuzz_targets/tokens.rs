//! Any bytes as the body of `POST /tokens`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::refresh(bytes);
});
