//! Random keys and names.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// 32 random bytes in base64url: a master key as it is, and a password that needs no escaping in a URL.
pub(crate) fn key() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system gave no random bytes")?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Sixteen hexadecimal digits that tell the schemas and accounts of this run from those of other runs.
pub(crate) fn nonce() -> String {
    format!("{:016x}", fastrand::u64(..))
}
