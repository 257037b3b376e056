//! An authenticator app (RFC 6238). It shares no code with the service.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use aws_lc_rs::hmac;

/// The seconds of a step (RFC 6238 §4.1).
const STEP: u64 = 30;
const CODES: u32 = 1_000_000;
/// RFC 4648 §6.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// An app that is set up.
#[derive(Clone, Debug)]
pub(super) struct TotpApp {
    secret: Vec<u8>,
    /// The step of the last code that it showed.
    last: u64,
}

impl TotpApp {
    /// Set up by a secret in base 32.
    pub(super) fn new(secret: &str) -> Result<Self> {
        Ok(Self {
            secret: base32(secret)?,
            last: 0,
        })
    }

    /// A code that it has not shown before: of this step, or of the next one. Both count for the next half minute, and a third one would not.
    pub(super) fn code(&mut self) -> Result<String> {
        self.last = (self.last + 1).max(now()?);
        Ok(self.at(self.last))
    }

    /// A code of none of the steps around the present.
    pub(super) fn wrong(&self) -> Result<String> {
        let now = now()?;
        let near: Vec<_> = (now - 3..now + 4).map(|step| self.at(step)).collect();
        let mut all = (0..CODES).map(|code| format!("{code:06}"));
        all.find(|code| !near.contains(code)).context("no code")
    }

    /// RFC 4226 §5.3.
    fn at(&self, step: u64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let mac = hmac::sign(&key, &step.to_be_bytes());
        let mac = mac.as_ref();
        let offset = usize::from(mac[mac.len() - 1] & 0xf);
        let number = mac[offset..offset + 4]
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % CODES)
    }
}

/// Any code of six digits.
pub(super) fn any_code() -> String {
    format!("{:06}", fastrand::u32(..CODES))
}

#[expect(clippy::disallowed_methods, reason = "the service is another process")]
fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / STEP)
}

fn base32(text: &str) -> Result<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_usize, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter);
        bits = (bits << 5 | value.context("the secret is not in base 32")?) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff)?);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let app = TotpApp::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").expect("base 32");
        assert_eq!(app.secret, b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(app.at(seconds / STEP), code);
        }
    }

    #[test]
    fn no_code_is_shown_twice() {
        let mut app = TotpApp::new("GEZDGNBV").expect("base 32");
        app.code().expect("a code");
        let first = app.last;
        app.code().expect("another");
        assert!(app.last > first);
        let wrong = app.wrong().expect("another");
        assert!((first - 1..first + 2).all(|step| app.at(step) != wrong));
    }
}
