//! The packed form of a statement: a small signed object, and behind it the ids, whose digest it has.
//!
//! Ids inside of the signed object would be in base64url twice.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::revocations::{IDS_OF_OUTDATED, PackedStatement};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Stands between the signed object and the ids.
pub(super) const SEPARATOR: char = '~';

/// The claims. Times are seconds since 1970-01-01 UTC.
#[derive(Serialize)]
pub(super) struct WirePacked<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    window: u64,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// How many ids belong to each minute, by its end. The last entry may be of `outdated`.
    sessions: Vec<(i64, usize)>,
    /// So many accounts are outdated: of the ids of `sessions`, the last two for each. Readers of an earlier release take them for
    /// sessions, which there are none of.
    #[serde(skip_serializing_if = "Option::is_none")]
    outdated: Option<usize>,
    only: WireOnly,
    /// Of the text of the ids: SHA-256 in base64url.
    digest: String,
}

/// The users of whom only the sessions named live.
#[derive(Serialize)]
struct WireOnly {
    issued_before: i64,
    users: usize,
}

/// The ids as text in base64url: 16 bytes for each session that ended, minute by minute; then for each outdated account its id, and as
/// another one its version and the second of the change, in eight bytes each; then for each user of `only` its id, the number of its
/// sessions in two bytes, and their ids.
pub(super) fn ids(statement: &PackedStatement) -> String {
    let ended: usize = statement.ends.iter().map(|ends| ends.sessions.len()).sum();
    let living = statement.only.users.iter();
    let of_users: usize = living.map(|(_, living)| 18 + 16 * living.len()).sum();
    let ids = ended + IDS_OF_OUTDATED * statement.outdated.len();
    let mut bytes = Vec::with_capacity(16 * ids + of_users);
    for session in statement.ends.iter().flat_map(|ends| &ends.sessions) {
        bytes.extend_from_slice(session.as_uuid().as_bytes());
    }
    for tokens in &statement.outdated {
        bytes.extend_from_slice(tokens.user.as_uuid().as_bytes());
        bytes.extend_from_slice(&tokens.before.number().to_be_bytes());
        let second = u64::try_from(tokens.at.as_seconds()).unwrap_or(0);
        bytes.extend_from_slice(&second.to_be_bytes());
    }
    for (user, living) in &statement.only.users {
        bytes.extend_from_slice(user.as_uuid().as_bytes());
        // Far more than a user may have.
        let count = u16::try_from(living.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&count.to_be_bytes());
        for session in living.iter().take(usize::from(count)) {
            bytes.extend_from_slice(session.as_uuid().as_bytes());
        }
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

impl<'a> WirePacked<'a> {
    pub(super) fn new(statement: &PackedStatement, ids: &str, issuer: &'a str) -> Self {
        let ended = statement.ends.iter();
        let ended = ended.map(|ends| (ends.before.as_seconds(), ends.sessions.len()));
        let outdated = Some(statement.outdated.len()).filter(|outdated| *outdated > 0);
        // For readers that take them for sessions: ended at the time of the read.
        let as_sessions =
            outdated.map(|count| (statement.as_of.as_seconds(), IDS_OF_OUTDATED * count));
        Self {
            iss: issuer,
            iat: statement.as_of.as_seconds(),
            exp: statement.expires_at().as_seconds(),
            window: statement.window.as_secs(),
            version: statement.version.to_string(),
            since: statement.since.as_ref().map(ToString::to_string),
            sessions: ended.chain(as_sessions).collect(),
            outdated,
            only: WireOnly {
                issued_before: statement.only.issued_before.as_seconds(),
                users: statement.only.users.len(),
            },
            digest: URL_SAFE_NO_PAD.encode(Sha256::digest(ids)),
        }
    }
}
