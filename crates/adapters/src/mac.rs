//! HMAC-SHA256 (RFC 2104).

use hmac::{Hmac, KeyInit};
use sha2::Sha256;

/// One under this key.
#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length (RFC 2104 §3)"
)]
pub(crate) fn hmac_sha256(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes any key")
}
