//! HOTP (RFC 4226 §5.3) with HMAC-SHA-1 and six digits.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha1::Sha1;

/// For six digits.
const MODULUS: u32 = 1_000_000;

/// The digits for a counter.
#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length (RFC 2104 §3)"
)]
pub(super) fn code(secret: &[u8], counter: u64) -> SecretString {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes any key");
    mac.update(&counter.to_be_bytes());
    let mac: [u8; 20] = mac.finalize().into_bytes().into();
    format!("{:06}", truncated(&mac) % MODULUS).into()
}

/// The four bytes at the offset that the last one names, without the first bit.
fn truncated(mac: &[u8; 20]) -> u32 {
    let offset = usize::from(mac[19] & 0xf);
    let bytes = [
        mac[offset],
        mac[offset + 1],
        mac[offset + 2],
        mac[offset + 3],
    ];
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}
