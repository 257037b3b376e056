//! The feed's document in the plain form: a signed object of `typ` `revocations+jwt`, made with a key of the same key set. Issuers that
//! know the packed form send it only to who does not ask for that.

use crate::{error::VerifyError, json, jwk_set::VerifyingKey, jws::Jws};
use serde::Deserialize;
use uuid::Uuid;

/// The longest statement that is taken, in bytes; the service sends none that is longer. That is room for some 1,500,000 sessions.
pub const LONGEST_STATEMENT: usize = 32 * 1024 * 1024;

/// How far a statement's times may be from those of this machine, in seconds: as far as the service lets the clocks of its replicas
/// differ, for calls under way included.
pub(super) const SLACK: u64 = 120;

/// The header's `typ`.
const TYPE: &str = "revocations+jwt";

/// The claims. Times are seconds since 1970-01-01 UTC.
#[derive(Debug, Deserialize)]
pub(super) struct RevocationDocument {
    iss: String,
    iat: u64,
    /// `iat + window`.
    pub(super) exp: u64,
    /// The life of an ID token: how long an entry stays listed.
    pub(super) window: u64,
    /// The sessions that ended, each with when.
    pub(super) sessions: Vec<(Uuid, u64)>,
    /// The users whose epoch rose, each with the new epoch and the one session that lives on.
    pub(super) users: Vec<(Uuid, u64, Option<Uuid>)>,
    /// The accounts whose tokens before a version are outdated; issuers of an earlier release name none.
    #[serde(default)]
    pub(super) outdated: Vec<(Uuid, u64)>,
}

/// Parses the text; the signature is not checked.
pub(super) fn parse(text: &str) -> Result<Jws<'_>, VerifyError> {
    Jws::parse(text, TYPE, LONGEST_STATEMENT)
}

impl RevocationDocument {
    /// Checks signature, issuer and times.
    pub(super) fn read(
        jws: &Jws<'_>,
        key: &VerifyingKey,
        issuer: &str,
        now: u64,
    ) -> Result<Self, VerifyError> {
        let document: Self = json::parse(&jws.verify(key)?).map_err(VerifyError::Claims)?;
        let times = [document.iat, document.exp, document.window];
        check(&document.iss, times, issuer, now)?;
        Ok(document)
    }
}

/// Checks issuer and times (`iat`, `exp` and the window) of a statement of either form.
pub(super) fn check(
    iss: &str,
    [iat, exp, window]: [u64; 3],
    issuer: &str,
    now: u64,
) -> Result<(), VerifyError> {
    if iss != issuer {
        return Err(VerifyError::Issuer);
    }
    if iat.checked_add(window) != Some(exp) {
        return Err(VerifyError::Contradiction);
    }
    if iat > now.saturating_add(SLACK) {
        return Err(VerifyError::NotYetValid);
    }
    if now >= exp.saturating_add(SLACK) {
        return Err(VerifyError::Expired);
    }
    Ok(())
}
