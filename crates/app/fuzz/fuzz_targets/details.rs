//! Any bytes as the body of `PUT /details`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    revolve::fuzzing::details(bytes);
});
