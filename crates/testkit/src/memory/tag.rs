//! A keyed checksum for tests: deterministic and quick, without cryptographic strength.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Spreads a number's bits over all 64 places, one to one.
pub(super) const fn scramble(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The checksum of a text under a key, in 11 characters of base64url.
pub(super) fn tag(key: &str, text: &str) -> String {
    let absorb = |state, byte: &u8| scramble(state ^ u64::from(*byte));
    let keyed = key.as_bytes().iter().fold(key.len() as u64, absorb);
    encode(&text.as_bytes().iter().fold(keyed, absorb).to_be_bytes())
}

/// base64url without padding (RFC 4648 §5).
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What [`encode`] encoded.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
