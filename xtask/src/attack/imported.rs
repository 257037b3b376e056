//! Accounts that are imported: as many as are needed, at the cost of no hash.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::json;

/// The cost of a hash: memory in KiB, and passes over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashCost {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
}

impl HashCost {
    /// The least that the service takes.
    pub(super) const LEAST: Self = Self {
        memory_kib: 64,
        passes: 1,
    };

    /// The settings under which new hashes cost as much.
    pub(super) fn settings(self) -> [(&'static str, String); 2] {
        [
            ("HASHING__MEMORY_KIB", self.memory_kib.to_string()),
            ("HASHING__PASSES", self.passes.to_string()),
        ]
    }
}

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Verified,
    Unverified,
    Disabled,
}

/// A row for `revolve user import`, with a random hash: no password is known to match.
pub(super) fn row(email: &str, cost: HashCost, standing: Standing) -> Result<String> {
    let (mut salt, mut output) = ([0; 16], [0; 32]);
    getrandom::fill(&mut salt)?;
    getrandom::fill(&mut output)?;
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    let HashCost { memory_kib, passes } = cost;
    let hash = format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${output}");
    let row = json!({
        "email": email,
        "passwordHash": hash,
        "emailVerified": standing != Standing::Unverified,
        "disabled": standing == Standing::Disabled,
    });
    Ok(format!("{row}\n"))
}
