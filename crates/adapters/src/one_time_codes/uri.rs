//! The URI that apps read: `otpauth://totp/…`, as the Key Uri Format of Google Authenticator has it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use revolve_domain::model::{OneTimeCode, TotpStep};
use secrecy::{ExposeSecret, SecretString};

/// All but the unreserved characters of RFC 3986 §2.3.
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Base 32 without padding (RFC 4648 §6).
pub(super) fn base32(bytes: &[u8]) -> SecretString {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(padded);
        for place in 0..(group.len() * 8).div_ceil(5) {
            let [.., last] = (bits >> (35 - 5 * place)).to_be_bytes();
            text.push(char::from(BASE32[usize::from(last & 31)]));
        }
    }
    text.into()
}

/// The URI. `secret` is in base 32.
pub(super) fn key_uri(issuer: &str, account: &str, secret: &SecretString) -> SecretString {
    let issuer = utf8_percent_encode(issuer, &RESERVED).to_string();
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={digits}&period={period}",
        account = utf8_percent_encode(account, &RESERVED),
        secret = secret.expose_secret(),
        digits = OneTimeCode::DIGITS,
        period = TotpStep::SECONDS,
    )
    .into()
}
